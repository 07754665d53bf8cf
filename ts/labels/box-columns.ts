import type { FloatColumn } from "../core/pair-iou.js";

/** N boxes of one image. */
export interface BoxColumns {
  /** (N * 4,) absolute px. */
  readonly boxXyxy: FloatColumn;
  /** (N,) in [0, 1]. */
  readonly score: FloatColumn;
  /** (N,) 0..K-1. */
  readonly classIndex: Int32Array;
}
