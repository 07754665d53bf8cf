import { type BoxXywh, clipXywh } from "../core/boxes.js";

/** What to do with a box that reaches out of its image or has no area there. `clip` drops what is left empty. */
export type BadBoxes = "error" | "clip" | "drop";

/** How many boxes were changed. A box that reaches out by at most a pixel is rounding noise, and clipped under any policy. */
export interface BoxCounts {
  readonly rounded: number;
  readonly clipped: number;
  readonly dropped: number;
}

export type FittedBox =
  | { readonly outcome: "kept" | "rounded" | "clipped"; readonly box: BoxXywh }
  | { readonly outcome: "dropped" }
  | { readonly outcome: "refused"; readonly fault: string };

export const ROUNDING_PX = 1;

/** Fits a box into an image of the given size. */
export function fitBox(box: BoxXywh, widthPx: number, heightPx: number, policy: BadBoxes): FittedBox {
  const inside = clipXywh(box, widthPx, heightPx);
  const isEmpty = box[2] <= 0 || box[3] <= 0 || inside[2] <= 0 || inside[3] <= 0;
  const overhang = overhangPx(box, widthPx, heightPx);
  if (!isEmpty && overhang <= 0) return { outcome: "kept", box };
  if (!isEmpty && overhang <= ROUNDING_PX) return { outcome: "rounded", box: inside };
  if (policy === "error") return { outcome: "refused", fault: describeFault(box, isEmpty, overhang) };
  if (policy === "clip" && !isEmpty) return { outcome: "clipped", box: inside };
  return { outcome: "dropped" };
}

/** How far the box reaches over the side of the image that it reaches over most; 0 or less if it lies inside. */
export function overhangPx([x, y, width, height]: BoxXywh, widthPx: number, heightPx: number): number {
  return Math.max(-x, -y, x + width - widthPx, y + height - heightPx);
}

function describeFault([, , width, height]: BoxXywh, isEmpty: boolean, overhang: number): string {
  if (width <= 0 || height <= 0) return "has no area";
  return isEmpty ? "lies outside the image" : `reaches ${Number(overhang.toFixed(2))} px out of the image`;
}
