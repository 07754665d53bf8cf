/** Greedy non-maximum suppression. */
import { boxPairIou, type FloatColumn, type PairIou } from "./pair-iou.js";

/**
 * Keeps the best box, drops what overlaps it, and goes on with the rest.
 * @param boxesXyxy (N * 4) absolute px.
 * @param scores (N).
 * @param groups (N) boxes suppress each other only within a group, such as a class. Undefined: all are one group.
 * @param iouThreshold a box is dropped if its IoU with a kept one is above this.
 * @param most how many to keep at most.
 * @returns indices of the kept boxes by descending score; of equal scores the lower index is first.
 */
export function nms(
  boxesXyxy: FloatColumn,
  scores: FloatColumn,
  groups: Int32Array | undefined,
  iouThreshold: number,
  most = Infinity,
): number[] {
  return suppressOverlaps(boxPairIou(boxesXyxy), scores, groups, iouThreshold, most);
}

/** The same of N things whose IoU is known, such as masks. */
export function suppressOverlaps(
  pairIou: PairIou,
  scores: FloatColumn,
  groups: Int32Array | undefined,
  iouThreshold: number,
  most = Infinity,
): number[] {
  const kept: number[] = [];
  for (const next of byDescendingScore(scores)) {
    if (kept.length >= most) break;
    const overlaps = (better: number): boolean =>
      (groups === undefined || groups[better] === groups[next]) && pairIou(better, next) > iouThreshold;
    if (!kept.some(overlaps)) kept.push(next);
  }
  return kept;
}

/** Indices by descending score; of equal scores the lower index is first. */
export function byDescendingScore(scores: FloatColumn): Uint32Array {
  return Uint32Array.from(scores.keys()).sort((a, b) => (scores[b] as number) - (scores[a] as number) || a - b);
}
