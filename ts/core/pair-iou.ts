/** Overlap of pairs of boxes that stand in columns. */

export type FloatColumn = Float32Array | Float64Array;

/** IoU in [0, 1] of two of N things, such as boxes or masks, by their indices. */
export type PairIou = (a: number, b: number) => number;

/** @param boxesXyxy (N * 4) absolute px. The IoU is 0 where the union is empty. */
export function boxPairIou(boxesXyxy: FloatColumn): PairIou {
  const areas = boxAreas(boxesXyxy);
  return (a, b) => {
    const intersection = intersectionArea(boxesXyxy, a, boxesXyxy, b);
    return intersection === 0 ? 0 : intersection / ((areas[a] as number) + (areas[b] as number) - intersection);
  };
}

/** (N,) px^2. @param boxesXyxy (N * 4) absolute px. */
export function boxAreas(boxesXyxy: FloatColumn): Float64Array {
  const side = (box: number, axis: 0 | 1): number =>
    (boxesXyxy[4 * box + axis + 2] as number) - (boxesXyxy[4 * box + axis] as number);
  return Float64Array.from({ length: boxesXyxy.length / 4 }, (_, box) => side(box, 0) * side(box, 1));
}

/** px^2 that box `a` of some boxes shares with box `b` of others. */
export function intersectionArea(boxesOfA: FloatColumn, a: number, boxesOfB: FloatColumn, b: number): number {
  const width = overlap(boxesOfA, 4 * a, boxesOfB, 4 * b);
  const height = overlap(boxesOfA, 4 * a + 1, boxesOfB, 4 * b + 1);
  return width <= 0 || height <= 0 ? 0 : width * height;
}

/** Length that two boxes share on one axis, given where their lower bounds stand; negative if they are apart. */
function overlap(boxesOfA: FloatColumn, a: number, boxesOfB: FloatColumn, b: number): number {
  const lower = Math.max(boxesOfA[a] as number, boxesOfB[b] as number);
  return Math.min(boxesOfA[a + 2] as number, boxesOfB[b + 2] as number) - lower;
}
