/** What becomes of detections: right, wrong or neither, in each area range and at each IoU threshold. */
import type { ByImage } from "./grouping.js";
import { startsOf } from "./sorting.js";

/** D detections class by class, in a class image by image, in an image the best first. */
export interface Outcomes {
  /** Where each of K classes starts. */
  readonly starts: Int32Array;
  /** Where it ends by now. */
  readonly ends: Int32Array;
  /** (D,). */
  readonly scores: Float64Array;
  /** (D,). The first of `maxDets` that includes the detection, as it is among as many best of its image. */
  readonly firstLimit: Int32Array;
  /** (D, W, 2). Bits of where it is right, and of where it is neither right nor wrong, in the words of the thresholds. */
  readonly bits: Int32Array;
  /** (K, A). Ground truth to be found. */
  readonly positives: Int32Array;
}

export function newOutcomes({ rows, classes }: ByImage, classCount: number, ranges: number, words: number): Outcomes {
  const starts = startsOf(rows, classes, classCount);
  return {
    starts,
    ends: starts.slice(0, classCount),
    scores: new Float64Array(rows.length),
    firstLimit: new Int32Array(rows.length),
    bits: new Int32Array(rows.length * words * 2),
    positives: new Int32Array(classCount * ranges),
  };
}
