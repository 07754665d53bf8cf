import type { Grouped } from "./grouping.js";
import { sortByScore } from "./sorting.js";

/** The D detections of one class that count, by descending score. */
export interface Ranked {
  /** (D,). Row numbers. Equal scores are in the order of their images. */
  readonly rows: Int32Array;
  /** (D,). 0 for the best of its image. */
  readonly rankInImage: Int32Array;
}

/** Counters of what is seen of each image. */
/** @param limit only as many of the best of an image count. */
export function rankClass(grouped: Grouped, k: number, scores: Float64Array, limit: number, images: number): Ranked {
  const rows = sortByScore(grouped.rows.subarray(grouped.classStarts[k], grouped.classStarts[k + 1]), scores);
  const rankInImage = new Int32Array(rows.length);
  const seen = new Int32Array(images);
  let count = 0;
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i] as number;
    const image = grouped.image[row] as number;
    const rank = seen[image] as number;
    if (rank >= limit) continue;
    seen[image] = rank + 1;
    rows[count] = row;
    rankInImage[count] = rank;
    count++;
  }
  return { rows: rows.subarray(0, count), rankInImage: rankInImage.subarray(0, count) };
}
