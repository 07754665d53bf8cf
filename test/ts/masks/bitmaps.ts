/** Masks pixel by pixel, to compare runs with. */
import fc from "fast-check";
import { type Bitmap, decode, type Rle } from "../../../ts/masks/index.js";

/** Bitmaps of 0 and 1; neighbors are often equal. */
export const bitmaps: fc.Arbitrary<Bitmap> = fc
  .tuple(fc.nat(9), fc.nat(9))
  .chain(([width, height]) => bitmapsOf(width, height));

/** Two or three of one size. */
export const bitmapGroups: fc.Arbitrary<Bitmap[]> = fc
  .tuple(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 9 }))
  .chain(([width, height]) => fc.array(bitmapsOf(width, height), { minLength: 2, maxLength: 3 }));

function bitmapsOf(width: number, height: number): fc.Arbitrary<Bitmap> {
  const pixels = fc.array(fc.constantFrom(0, 0, 1, 1, 1), { minLength: width * height, maxLength: width * height });
  return pixels.map((data) => ({ width, height, data: Uint8Array.from(data) }));
}

export function mergedPixels(masks: readonly Rle[], operation: "union" | "intersection"): Uint8Array {
  const [first, ...others] = masks.map((mask) => decode(mask).data) as [Uint8Array, ...Uint8Array[]];
  return first.map((value, at) => {
    const values = [value, ...others.map((data) => data[at] as number)];
    return operation === "union" ? Math.max(...values) : Math.min(...values);
  });
}
