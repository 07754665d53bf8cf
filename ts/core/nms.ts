/** Greedy non-maximum suppression. */

/**
 * Keeps the best box, drops what overlaps it, and goes on with the rest.
 * @param boxesXyxy (N * 4) absolute px.
 * @param scores (N).
 * @param groups (N) boxes suppress each other only within a group, such as a class. Undefined: all are one group.
 * @param iouThreshold a box is dropped if its IoU with a kept one is above this.
 * @returns indices of the kept boxes by descending score; of equal scores the lower index is first.
 */
export function nms(
  boxesXyxy: Float32Array | Float64Array,
  scores: Float32Array | Float64Array,
  groups: Int32Array | undefined,
  iouThreshold: number,
): number[] {
  const areas = boxAreas(boxesXyxy, scores.length);
  const suppressed = new Uint8Array(scores.length);
  const kept: number[] = [];
  const order = byDescendingScore(scores);
  for (const [rank, best] of order.entries()) {
    if (suppressed[best] === 1) continue;
    kept.push(best);
    for (const other of order.subarray(rank + 1)) {
      if (suppressed[other] === 1 || (groups !== undefined && groups[other] !== groups[best])) continue;
      if (iou(boxesXyxy, areas, best, other) > iouThreshold) suppressed[other] = 1;
    }
  }
  return kept;
}

/** Indices by descending score; of equal scores the lower index is first. */
export function byDescendingScore(scores: Float32Array | Float64Array): Uint32Array {
  return Uint32Array.from(scores.keys()).sort((a, b) => (scores[b] as number) - (scores[a] as number) || a - b);
}

function boxAreas(boxes: Float32Array | Float64Array, count: number): Float64Array {
  const side = (box: number, axis: 0 | 1): number =>
    (boxes[4 * box + axis + 2] as number) - (boxes[4 * box + axis] as number);
  return Float64Array.from({ length: count }, (_, box) => side(box, 0) * side(box, 1));
}

function iou(boxes: Float32Array | Float64Array, areas: Float64Array, a: number, b: number): number {
  const width = overlap(boxes, 4 * a, 4 * b);
  const height = overlap(boxes, 4 * a + 1, 4 * b + 1);
  if (width <= 0 || height <= 0) return 0;
  const intersection = width * height;
  return intersection / ((areas[a] as number) + (areas[b] as number) - intersection);
}

/** Length that two boxes share on one axis, given where their lower bounds stand; negative if they are apart. */
function overlap(boxes: Float32Array | Float64Array, a: number, b: number): number {
  const lower = Math.max(boxes[a] as number, boxes[b] as number);
  return Math.min(boxes[a + 2] as number, boxes[b + 2] as number) - lower;
}
