/** Drawing new boxes on a picture, and correcting one by its handles, with the mouse or with keys. */
import { HANDLE_NAMES, HANDLES, type Handle, handlePoint, LEAST_SIDE_PX, moveHandle } from "../view/box-handles.js";
import type { Box } from "../view/label-table.js";
import { drawing, replace } from "./dom.js";
import type { Picture } from "./picture.js";

export interface BoxEditor {
  /** Shows the handles of a box over a picture, or none. */
  show(picture: Picture, box: Box | undefined): void;
  /** Gives the keyboard to the handles. */
  focus(): void;
}

export interface BoxEdits {
  onNew(box: Box): void;
  /** As often as it changes. */
  onCorrected(box: Box): void;
}

interface Grip {
  readonly handle: Handle;
  readonly box: Box;
  readonly from: readonly [x: number, y: number];
}

const STEPS: Readonly<Record<string, readonly [dx: number, dy: number]>> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
};
const FAST_PX = 10;
/** Of the larger side of the image. */
const HANDLE_SHARE = 0.008;

export function createBoxEditor(stage: HTMLElement, { onNew, onCorrected }: BoxEdits): BoxEditor {
  let picture: Picture | undefined;
  let box: Box | undefined;
  let grip: Grip | undefined;
  let corner: readonly [x: number, y: number] | undefined;
  const handles = new Map(HANDLES.map((handle) => [handle, createHandle(handle)] as const));

  const place = (): void => {
    if (picture === undefined) return;
    const radius = HANDLE_SHARE * Math.max(picture.file.width_px, picture.file.height_px);
    for (const [handle, circle] of handles) {
      const [x, y] = box === undefined ? [0, 0] : handlePoint(box, handle);
      circle.setAttribute("cx", String(x));
      circle.setAttribute("cy", String(y));
      circle.setAttribute("r", String(radius));
    }
  };
  const correct = (handle: Handle, from: Box, dx: number, dy: number): void => {
    if (picture === undefined) return;
    box = moveHandle(from, handle, dx, dy, picture.file);
    place();
    onCorrected(box);
  };

  for (const [handle, circle] of handles) {
    circle.addEventListener("pointerdown", (event) => {
      if (picture === undefined || box === undefined) return;
      grip = { handle, box, from: picture.pointAt(event) };
    });
    circle.addEventListener("keydown", (event) => {
      const step = STEPS[event.key];
      if (step === undefined || box === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      // Arrows go through the images elsewhere.
      event.stopPropagation();
      const px = event.shiftKey ? FAST_PX : 1;
      correct(handle, box, px * step[0], px * step[1]);
    });
  }
  stage.addEventListener("pointerdown", (event) => {
    stage.setPointerCapture(event.pointerId);
    if (grip === undefined) corner = picture?.pointAt(event);
  });
  stage.addEventListener("pointermove", (event) => {
    if (grip === undefined || picture === undefined) return;
    const [x, y] = picture.pointAt(event);
    correct(grip.handle, grip.box, x - grip.from[0], y - grip.from[1]);
  });
  stage.addEventListener("pointerup", (event) => {
    const to = picture?.pointAt(event);
    const drawn = corner === undefined || to === undefined ? undefined : boxBetween(corner, to);
    [grip, corner] = [undefined, undefined];
    if (drawn !== undefined && drawn[2] >= LEAST_SIDE_PX && drawn[3] >= LEAST_SIDE_PX) onNew(drawn);
  });
  stage.addEventListener("pointercancel", () => {
    [grip, corner] = [undefined, undefined];
  });

  return {
    show(nextPicture, nextBox) {
      if (picture !== nextPicture || (box === undefined) !== (nextBox === undefined)) {
        replace(nextPicture.overlay, nextBox === undefined ? [] : [...handles.values()]);
      }
      [picture, box] = [nextPicture, nextBox];
      place();
    },
    focus: () => handles.get("se")?.focus(),
  };
}

function createHandle(handle: Handle): SVGCircleElement {
  const label = `${HANDLE_NAMES[handle]} of the chosen box: arrow keys move it`;
  return drawing("circle", { class: `handle ${handle}`, tabindex: 0, role: "button", "aria-label": label });
}

function boxBetween(one: readonly [number, number], other: readonly [number, number]): Box {
  const [x, y] = [Math.min(one[0], other[0]), Math.min(one[1], other[1])];
  return [x, y, Math.abs(one[0] - other[0]), Math.abs(one[1] - other[1])];
}
