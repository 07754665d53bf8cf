import type { Grouped } from "./grouping.js";
import { sortByScore } from "./sorting.js";

/** The D detections of one class that count, by descending score; equal scores in the order of their images. */
export interface Ranked {
  /** (D,). Row numbers. */
  readonly rows: Int32Array;
  /** (D,). Positions of their images. */
  readonly images: Int32Array;
  /** (D,). */
  readonly scores: Float64Array;
  /** (D,). The first of `maxDets` that includes it, so that it is among as many best of its image. */
  readonly firstLimit: Int32Array;
}

/** @param maxDets ascending. @param imageCount how many are evaluated. */
export function rankClass(
  { rows, classStarts, image }: Grouped,
  k: number,
  scores: Float64Array,
  maxDets: readonly number[],
  imageCount: number,
): Ranked {
  const sorted = sortByScore(rows.subarray(classStarts[k], classStarts[k + 1]), scores);
  const { length } = sorted;
  const ranked = {
    images: new Int32Array(length),
    scores: new Float64Array(length),
    firstLimit: new Int32Array(length),
  };
  const seen = new Int32Array(imageCount);
  let count = 0;
  for (let i = 0; i < length; i++) {
    const row = sorted[i] as number;
    const imageOfRow = image[row] as number;
    const rank = seen[imageOfRow] as number;
    let limit = 0;
    while (limit < maxDets.length && rank >= (maxDets[limit] as number)) limit++;
    if (limit === maxDets.length) continue;
    seen[imageOfRow] = rank + 1;
    sorted[count] = row;
    ranked.images[count] = imageOfRow;
    ranked.scores[count] = scores[row] as number;
    ranked.firstLimit[count] = limit;
    count++;
  }
  return {
    rows: sorted.subarray(0, count),
    images: ranked.images.subarray(0, count),
    scores: ranked.scores.subarray(0, count),
    firstLimit: ranked.firstLimit.subarray(0, count),
  };
}
