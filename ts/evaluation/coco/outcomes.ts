/** What becomes of detections: right, wrong or neither, at each IoU threshold and in each area range. */
import type { Grid } from "./grid.js";
import type { ByImage } from "./grouping.js";
import { startsOf } from "./sorting.js";

/** D detections class by class; in a class image by image; of an image the best first. */
export interface Outcomes {
  /** Where each of K classes starts. */
  readonly starts: Int32Array;
  /** Where it ends by now. */
  readonly ends: Int32Array;
  /** (D,). */
  readonly scores: Float64Array;
  /**
   * (D, S). First, which of `maxDets` is the first to include the detection, as it is among as many best of its image; then for
   * each of W words of the grid the bits of where it is right, and those of where it is neither right nor wrong.
   */
  readonly states: Int32Array;
  /** S, which is 1 + 2 W. */
  readonly stride: number;
  /** (K, A). Ground truth to be found. */
  readonly positives: Int32Array;
}

export function newOutcomes({ rows, classes }: ByImage, classCount: number, grid: Grid): Outcomes {
  const starts = startsOf(rows, classes, classCount);
  const stride = 1 + 2 * grid.words.length;
  return {
    starts,
    ends: starts.slice(0, classCount),
    scores: new Float64Array(rows.length),
    states: new Int32Array(rows.length * stride),
    stride,
    positives: new Int32Array(classCount * grid.areaRanges.length),
  };
}
