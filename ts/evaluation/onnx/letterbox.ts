import { type RgbImage, resizeBilinear } from "./resize.js";

export interface Size {
  readonly widthPx: number;
  readonly heightPx: number;
}

/** The largest size of the image's aspect that fits into the input. */
export function fitSize(image: Size, input: Size): Size {
  const scale = Math.min(input.widthPx / image.widthPx, input.heightPx / image.heightPx);
  const scaled = (side: number) => Math.max(1, Math.floor(side * scale + 0.5));
  return { widthPx: scaled(image.widthPx), heightPx: scaled(image.heightPx) };
}

/** Writes the image, resized to fit, into the top left of an input (height, width, 3) that is `padValue` elsewhere. */
export function letterboxInto(target: Uint8Array, input: Size, image: RgbImage, padValue: number): void {
  const fit = fitSize(image, input);
  const { pixels } = resizeBilinear(image, fit.widthPx, fit.heightPx);
  target.fill(padValue);
  for (let y = 0; y < fit.heightPx; y++) {
    target.set(pixels.subarray(y * fit.widthPx * 3, (y + 1) * fit.widthPx * 3), y * input.widthPx * 3);
  }
}
