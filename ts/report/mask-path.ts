/** A mask as an SVG path. */
import { decodeCounts } from "../masks/index.js";

/**
 * As wide that the longer side of an image has about so many.
 * @returns px, at least 1.
 */
export function stripWidth(image: { readonly width_px: number; readonly height_px: number }, strips: number): number {
  return Math.max(1, Math.round(Math.max(image.width_px, image.height_px) / strips));
}

/**
 * Strips of so many px of the image, each with the runs of its first column: coarse enough for a small picture.
 * @param counts COCO's counts string. @param heightPx of the image.
 */
export function maskPath(counts: string, heightPx: number, stripPx: number): string {
  const strips: string[] = [];
  let end = 0;
  decodeCounts(counts).forEach((length, run) => {
    const start = end;
    end += length;
    if (run % 2 === 0) return;
    const first = Math.ceil(Math.floor(start / heightPx) / stripPx) * stripPx;
    for (let column = first; column * heightPx < end; column += stripPx) {
      const top = Math.max(start - column * heightPx, 0);
      const bottom = Math.min(end - column * heightPx, heightPx);
      strips.push(`M${column} ${top}h${stripPx}V${bottom}h-${stripPx}z`);
    }
  });
  return strips.join("");
}
