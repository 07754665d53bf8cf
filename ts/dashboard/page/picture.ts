/** An image with boxes drawn over it. */
import type { Box } from "../view/label-table.js";
import type { LabelFile } from "../wire/labels.js";
import { drawing, replace } from "./dom.js";

export type BoxKind = "plain" | "right" | "wrong" | "missed" | "aside" | "selected" | "edited";

export interface DrawnBox {
  readonly box: Box;
  readonly kind: BoxKind;
  readonly label?: string | undefined;
  /** An SVG path. */
  readonly mask?: string | undefined;
}

export interface Picture {
  /** As large as its place allows. */
  readonly element: SVGSVGElement;
  readonly file: PictureFile;
  /** Above the boxes. */
  readonly overlay: SVGGElement;
  setBoxes(boxes: readonly DrawnBox[]): void;
  /** Where that is in the image, in px; outside of it the nearest point of its border. */
  pointAt(event: PointerEvent): readonly [x: number, y: number];
}

export type PictureFile = Pick<LabelFile, "name" | "width_px" | "height_px">;

export function pictureUrl(runId: string, name: string, side_px: 240 | 1280): string {
  return `/api/runs/${encodeURIComponent(runId)}/picture?side=${side_px}&file=${encodeURIComponent(name)}`;
}

/** @param side_px of what is fetched. */
export function createPicture(runId: string, file: PictureFile, side_px: 240 | 1280): Picture {
  const { name, width_px: width, height_px: height } = file;
  const href = pictureUrl(runId, name, side_px);
  const boxes = drawing("g");
  const overlay = drawing("g");
  const svg = drawing(
    "svg",
    { class: "picture", viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": name },
    drawing("image", { href, width, height, preserveAspectRatio: "none" }),
    boxes,
    overlay,
  );
  const fontSize = Math.max(width, height) / 45;
  return {
    element: svg,
    file,
    overlay,
    setBoxes: (drawn) =>
      replace(
        boxes,
        drawn.map((box) => drawBox(box, fontSize)),
      ),
    pointAt({ clientX, clientY }) {
      const { x, y } = new DOMPoint(clientX, clientY).matrixTransform(svg.getScreenCTM()?.inverse());
      return [Math.max(0, Math.min(width, x)), Math.max(0, Math.min(height, y))];
    },
  };
}

function drawBox({ box: [x, y, width, height], kind, label, mask }: DrawnBox, fontSize: number): SVGGElement {
  const baseline = Math.max(y - 0.3 * fontSize, fontSize);
  return drawing(
    "g",
    { class: kind },
    mask !== undefined && drawing("path", { d: mask }),
    drawing("rect", { x, y, width, height }),
    label !== undefined &&
      drawing("text", { x, y: baseline, "font-size": fontSize, "stroke-width": fontSize / 4 }, label),
  );
}
