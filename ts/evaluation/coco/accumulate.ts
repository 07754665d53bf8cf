/** Outcomes to precision-recall curves, as pycocotools accumulates them. */
import { type Descent, descend } from "./descent.js";
import type { Grid } from "./grid.js";
import type { Axes } from "./options.js";
import type { Outcomes } from "./outcomes.js";

/** Row-major arrays; T thresholds, R recalls, K classes, A area ranges, M maxDets. -1: no ground truth to find. */
export interface Curves {
  /** (T, R, K, A, M). The highest precision at this recall or above; 0 beyond the last recall. */
  readonly precision: Float64Array;
  /** (T, K, A, M). The last recall. */
  readonly recall: Float64Array;
  /** (T, R, K, A, M). Score of the detection at which the recall is reached. */
  readonly scores: Float64Array;
}

/** The distance from 1 to the next double: what pycocotools adds to a denominator. */
export const EPSILON = 2 ** -52;

export function emptyCurves({ iouThresholds, recallThresholds, categoryIds, areaRanges, maxDets }: Axes): Curves {
  const ends = iouThresholds.length * categoryIds.length * areaRanges.length * maxDets.length;
  const points = ends * recallThresholds.length;
  return {
    precision: new Float64Array(points).fill(-1),
    recall: new Float64Array(ends).fill(-1),
    scores: new Float64Array(points).fill(-1),
  };
}

/** Writes the curves of one class, at the thresholds of the grid. @param k class, into `Axes.categoryIds`. */
export function accumulateClass(outcomes: Outcomes, k: number, grid: Grid, axes: Axes, curves: Curves): void {
  const { areaRanges, maxDets, categoryIds, recallThresholds } = axes;
  const positives = outcomes.positives.subarray(k * areaRanges.length, (k + 1) * areaRanges.length);
  const descent = descend(outcomes, k, grid, maxDets.length, positives);
  const precision = new Float64Array(1 + Math.max(...positives));
  const needed = new Int32Array(recallThresholds.length);
  const stride = categoryIds.length * areaRanges.length * maxDets.length;
  const curvesOfRange = maxDets.length * grid.ious.length;
  for (let curve = 0; curve < descent.found.length; curve++) {
    const count = positives[Math.floor(curve / curvesOfRange)] as number;
    if (count === 0) continue;
    if (curve % curvesOfRange === 0) neededTruePositives(recallThresholds, count, needed);
    const t = grid.positions[curve % grid.ious.length] as number;
    const cell = k * areaRanges.length * maxDets.length + Math.floor(curve / grid.ious.length);
    curves.recall[t * stride + cell] = Math.max(descent.found[curve] as number, 0) / count;
    findHighest(descent, curve, precision);
    sampleCurve(descent, curve, precision, needed, outcomes.scores, curves, t * needed.length * stride + cell, stride);
  }
}

/** The fewest true positives whose recall, computed in doubles, is at least each threshold; in `needed`, if given. */
export function neededTruePositives(
  recallThresholds: Float64Array,
  positives: number,
  needed = new Int32Array(recallThresholds.length),
): Int32Array {
  let count = 0;
  for (let r = 0; r < needed.length; r++) {
    while (count / positives < (recallThresholds[r] as number)) count++;
    needed[r] = count;
  }
  return needed;
}

/** Writes the highest precision from each true positive on; at 0, of all. */
function findHighest({ found, starts, totals }: Descent, curve: number, precision: Float64Array): void {
  const start = starts[curve] as number;
  let highest = 0;
  for (let n = found[curve] as number; n >= 0; n--) {
    // What is at 0 is no true positive: 0 / EPSILON.
    highest = Math.max(highest, n / ((totals[start + n] as number) + EPSILON));
    precision[n] = highest;
  }
}

/** Writes one curve from `offset` on, at every `stride`. */
function sampleCurve(
  { found, starts, places }: Descent,
  curve: number,
  precision: Float64Array,
  needed: Int32Array,
  scores: Float64Array,
  curves: Curves,
  offset: number,
  stride: number,
): void {
  const start = starts[curve] as number;
  const most = found[curve] as number;
  for (let r = 0; r < needed.length; r++) {
    const n = needed[r] as number;
    const isReached = n <= most;
    curves.precision[offset + r * stride] = isReached ? (precision[n] as number) : 0;
    curves.scores[offset + r * stride] = isReached ? (scores[places[start + n] as number] as number) : 0;
  }
}
