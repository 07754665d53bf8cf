import { scoreRanks, sortStable } from "../coco/sorting.js";

/** Rows by descending score; equal scores keep their order. */
export function byDescendingScore(score: Float64Array): Int32Array {
  return sortStable(Int32Array.from(score.keys()), scoreRanks(score), score.length);
}
