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
  /** Number of runs; `ends` may be longer. */
  readonly runs: number;
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
  return outlineOfCounts(counts, counts.length, width, height, new Int32Array(counts.length));
}

/** The same of the first `runs` counts. Writes into `ends`, which may be `counts`. */
export function outlineOfCounts(
  counts: Int32Array | Uint32Array,
  runs: number,
  width: number,
  height: number,
  ends: Int32Array,
): Outline {
  let hasEmptyRuns = false;
  let area = 0;
  let end = 0;
  for (let run = 0; run < runs; run++) {
    const count = counts[run] as number;
    if (count === 0 && run > 0) hasEmptyRuns = true;
    if ((run & 1) === 1) area += count;
    end += count;
    ends[run] = end;
  }
  checkFilled(end, width, height);
  return { width, height, ends, runs, area, box: boxOf(ends, runs, width, height), hasEmptyRuns };
}

function boxOf(ends: Int32Array, runs: number, width: number, height: number): BoxXywh {
  if (runs < 2) return [0, 0, 0, 0];
  let left = width;
  let top = height;
  let bottom = 0;
  let last = 0;
  let column = 0;
  for (let run = 1; run < runs; run += 2) {
    const start = ends[run - 1] as number;
    const end = ends[run] as number;
    if (start === end) continue;
    last = end - 1;
    // Most runs are in the column after that of the run before.
    if (start >= column + height) column += height;
    if (start >= column + height) column = start - (start % height);
    if (left === width) left = column / height;
    const isOneColumn = last < column + height;
    top = Math.min(top, isOneColumn ? start - column : 0);
    bottom = Math.max(bottom, isOneColumn ? last - column : height - 1);
  }
  const right = last === 0 ? 0 : Math.floor(last / height);
  return [left, top, (right - left + 1) >>> 0, (bottom - top + 1) >>> 0];
}
