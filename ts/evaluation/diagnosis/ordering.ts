import { ascending, sortByScore } from "../coco/sorting.js";

/** Rows by descending score; equal scores keep their order. */
export function byDescendingScore(score: Float64Array): Int32Array {
  return sortByScore(ascending(score.length), score);
}
