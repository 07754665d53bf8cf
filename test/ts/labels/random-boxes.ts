/** Boxes of one image for property tests: on a coarse grid, so that ties and equal boxes are common. */
import fc from "fast-check";
import type { BoxColumns } from "../../../ts/labels/box-columns.js";

export interface ScoredBox {
  readonly box: readonly [number, number, number, number];
  readonly score: number;
  readonly classIndex: number;
}

const side = fc.integer({ min: 1, max: 12 });

export const scoredBoxes: fc.Arbitrary<ScoredBox[]> = fc.array(
  fc.record({
    box: fc
      .tuple(fc.nat(20), fc.nat(20), side, side)
      .map(([x, y, width, height]) => [x, y, x + width, y + height] as const),
    score: fc.nat(8).map((eighths) => eighths / 8),
    classIndex: fc.nat(1),
  }),
  { maxLength: 24 },
);

export function columnsOf(boxes: readonly ScoredBox[]): BoxColumns {
  return {
    boxXyxy: Float64Array.from(boxes.flatMap(({ box }) => box)),
    score: Float64Array.from(boxes, ({ score }) => score),
    classIndex: Int32Array.from(boxes, ({ classIndex }) => classIndex),
  };
}
