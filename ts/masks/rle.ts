/** Masks as runs of pixels, the form in which every algorithm of this folder works. */
import { CasslError } from "../core/errors.js";

/** A binary mask of one image, read down the first column, then down the next. */
export interface Rle {
  /** px. */
  readonly width: number;
  /** px. */
  readonly height: number;
  /** Lengths of the runs in px, zeros first (perhaps none), then ones, and so on. They add up to width * height. */
  readonly counts: Uint32Array;
}

/** A binary mask as pixels. */
export interface Bitmap {
  /** px. */
  readonly width: number;
  /** px. */
  readonly height: number;
  /** (height, width), row-major: pixel (x, y) is at y * width + x. 0 is outside, anything else inside. */
  readonly data: Uint8Array;
}

/** The most pixels of a mask, so that positions are 32-bit integers. */
export const MOST_PIXELS = 2 ** 31 - 1;

/** ANNOTATIONS_INVALID if the bitmap does not hold one byte a pixel. */
export function encode({ width, height, data }: Bitmap): Rle {
  const pixels = pixelsOf(width, height);
  if (data.length !== pixels) {
    throw invalidMask(`A bitmap of ${width}x${height} px has ${data.length} bytes.`, "Give one byte a pixel.");
  }
  const ends: number[] = [];
  let value = 0;
  for (let x = 0, position = 0; x < width; x++) {
    for (let at = x; at < pixels; at += width, position++) {
      const pixel = data[at] === 0 ? 0 : 1;
      if (pixel !== value) ends.push(position);
      value = pixel;
    }
  }
  ends.push(pixels);
  return { width, height, counts: countsOfEnds(ends) };
}

/** ANNOTATIONS_INVALID if the runs do not fill the image. */
export function decode(rle: Rle): Bitmap {
  const { width, height, counts } = checkedRle(rle);
  const data = new Uint8Array(width * height);
  let position = 0;
  counts.forEach((count, run) => {
    if (run % 2 === 1) fillRun(data, position, count, width, height);
    position += count;
  });
  return { width, height, data };
}

function fillRun(data: Uint8Array, start: number, count: number, width: number, height: number): void {
  let x = Math.floor(start / height);
  let y = start % height;
  for (let left = count; left > 0; left--) {
    data[y * width + x] = 1;
    if (++y < height) continue;
    y = 0;
    x++;
  }
}

/** Pixels inside. */
export function area({ counts }: Rle): number {
  let sum = 0;
  for (let run = 1; run < counts.length; run += 2) sum += counts[run] as number;
  return sum;
}

/** The mask itself. ANNOTATIONS_INVALID if its runs do not fill the image. */
export function checkedRle(rle: Rle): Rle {
  let sum = 0;
  for (let run = 0; run < rle.counts.length; run++) sum += rle.counts[run] as number;
  checkFilled(sum, rle.width, rle.height);
  return rle;
}

/** ANNOTATIONS_INVALID unless runs of so many pixels fill the image. */
export function checkFilled(sum: number, width: number, height: number): void {
  if (sum === pixelsOf(width, height)) return;
  throw invalidMask(
    `Runs of ${sum} px do not fill an image of ${width}x${height} px.`,
    "Correct the counts, or the size: it is [height, width].",
  );
}

/** ANNOTATIONS_INVALID if there can be no image of that size. */
export function pixelsOf(width: number, height: number): number {
  const isSide = (side: number): boolean => Number.isInteger(side) && side >= 0;
  if (isSide(width) && isSide(height) && width * height <= MOST_PIXELS) return width * height;
  throw invalidMask(`An image cannot be ${width}x${height} px.`, "Give its width and height in whole pixels.");
}

/** Lengths of runs from where each ends. */
export function countsOfEnds(ends: ArrayLike<number>): Uint32Array {
  const counts = new Uint32Array(ends.length);
  for (let run = 0, start = 0; run < ends.length; run++) {
    const end = ends[run] as number;
    counts[run] = end - start;
    start = end;
  }
  return counts;
}

export function invalidMask(message: string, remedy: string, options?: ErrorOptions): CasslError {
  return new CasslError("ANNOTATIONS_INVALID", message, remedy, options);
}
