/** What comparing masks needs of each: where its runs end, its area and its box. */
import type { BoxXywh } from "../core/boxes.js";
import { checkFilled, type Rle } from "./rle.js";

export interface Outline {
  /** px. */
  readonly width: number;
  /** px. */
  readonly height: number;
  /** Where each run ends, as a position in the image. */
  readonly ends: Int32Array;
  readonly area: number;
  readonly box: BoxXywh;
  /** Whether a run other than the first has no pixels. */
  readonly hasEmptyRuns: boolean;
}

/**
 * The smallest box [x, y, width, height] around the mask, in whole px; all 0 for a mask that is one run of zeros.
 * Where there are runs of ones but all are empty, its sides wrap below 0 to nearly 2^32, as in pycocotools.
 */
export function toBox(rle: Rle): BoxXywh {
  return outlineOf(rle).box;
}

/** ANNOTATIONS_INVALID if the runs do not fill the image. */
export function outlineOf({ width, height, counts }: Rle): Outline {
  const ends = new Int32Array(counts);
  const runs = ends.length;
  const lastRow = height - 1;
  let emptyRuns = 0;
  let area = 0;
  let end = 0;
  let [left, top, bottom, last, column] = [width, height, 0, 0, 0];
  for (let at = 1; at < runs; at += 2) {
    const zeros = ends[at - 1] as number;
    const ones = ends[at] as number;
    const start = end + zeros;
    end = start + ones;
    ends[at - 1] = start;
    ends[at] = end;
    area += ones;
    emptyRuns += (zeros === 0 ? 1 : 0) + (ones === 0 ? 1 : 0);
    if (ones === 0) continue;
    last = end - 1;
    // Most runs are in the column after that of the run before.
    if (start >= column + height) column += height;
    if (start >= column + height) column = start - (start % height);
    if (left === width) left = column / height;
    const isInOneColumn = last < column + height;
    top = Math.min(top, isInOneColumn ? start - column : 0);
    bottom = Math.max(bottom, isInOneColumn ? last - column : lastRow);
  }
  if (runs % 2 === 1) {
    const zeros = ends[runs - 1] as number;
    end += zeros;
    ends[runs - 1] = end;
    emptyRuns += zeros === 0 ? 1 : 0;
  }
  checkFilled(end, width, height);
  const right = last === 0 ? 0 : Math.floor(last / height);
  const box: BoxXywh = runs < 2 ? [0, 0, 0, 0] : [left, top, (right - left + 1) >>> 0, (bottom - top + 1) >>> 0];
  const hasEmptyRuns = emptyRuns > (ends[0] === 0 ? 1 : 0);
  return { width, height, ends, area, box, hasEmptyRuns };
}
