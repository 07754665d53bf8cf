/** Where a box can be taken hold of, and what becomes of it then. Pure functions; px of the image. */
import type { Box } from "./label-table.js";

/** Corners and sides by the points of the compass, and the middle, which moves the whole box. */
export const HANDLES = ["middle", "nw", "n", "ne", "e", "se", "s", "sw", "w"] as const;
export type Handle = (typeof HANDLES)[number];

export const HANDLE_NAMES: Readonly<Record<Handle, string>> = {
  nw: "Top left corner",
  n: "Top side",
  ne: "Top right corner",
  e: "Right side",
  se: "Bottom right corner",
  s: "Bottom side",
  sw: "Bottom left corner",
  w: "Left side",
  middle: "Position",
};

export const LEAST_SIDE_PX = 3;

export interface ImageSize {
  readonly width_px: number;
  readonly height_px: number;
}

export function handlePoint([x, y, width, height]: Box, handle: Handle): readonly [x: number, y: number] {
  const across = isAt(handle, "w") ? 0 : isAt(handle, "e") ? 1 : 0.5;
  const down = isAt(handle, "n") ? 0 : isAt(handle, "s") ? 1 : 0.5;
  return [x + across * width, y + down * height];
}

/** The box after its handle was moved by so much: within the image, and no narrower or lower than LEAST_SIDE_PX. */
export function moveHandle(box: Box, handle: Handle, dx: number, dy: number, size: ImageSize): Box {
  const [x, y, width, height] = box;
  if (handle === "middle") {
    return [within(x + dx, 0, size.width_px - width), within(y + dy, 0, size.height_px - height), width, height];
  }
  const left = isAt(handle, "w") ? within(x + dx, 0, x + width - LEAST_SIDE_PX) : x;
  const right = isAt(handle, "e") ? within(x + width + dx, x + LEAST_SIDE_PX, size.width_px) : x + width;
  const top = isAt(handle, "n") ? within(y + dy, 0, y + height - LEAST_SIDE_PX) : y;
  const bottom = isAt(handle, "s") ? within(y + height + dy, y + LEAST_SIDE_PX, size.height_px) : y + height;
  return [left, top, right - left, bottom - top];
}

function isAt(handle: Handle, side: "n" | "e" | "s" | "w"): boolean {
  return handle !== "middle" && handle.includes(side);
}

/** The lower limit wins where they cross. */
function within(value: number, least: number, most: number): number {
  return Math.max(least, Math.min(most, value));
}
