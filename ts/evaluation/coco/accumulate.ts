/** Outcomes to precision-recall curves, as pycocotools accumulates them. */
import { type Descent, descend, newDescent } from "./descent.js";
import type { ClassTask, Outcomes } from "./matching.js";
import type { Axes } from "./options.js";

/** Row-major arrays; T thresholds, R recalls, K classes, A area ranges, M maxDets. -1: no ground truth to find. */
export interface Curves {
  /** (T, R, K, A, M). The highest precision at this recall or above; 0 beyond the last recall. */
  readonly precision: Float64Array;
  /** (T, K, A, M). The last recall. */
  readonly recall: Float64Array;
  /** (T, R, K, A, M). Score of the detection at which the recall is reached. */
  readonly scores: Float64Array;
}

export function emptyCurves({ iouThresholds, recallThresholds, categoryIds, areaRanges, maxDets }: Axes): Curves {
  const ends = iouThresholds.length * categoryIds.length * areaRanges.length * maxDets.length;
  const points = ends * recallThresholds.length;
  return {
    precision: new Float64Array(points).fill(-1),
    recall: new Float64Array(ends).fill(-1),
    scores: new Float64Array(points).fill(-1),
  };
}

/** Writes the curves of one class, at the thresholds of the task. @param k class, into `Axes.categoryIds`. */
export function accumulateClass(task: ClassTask, outcomes: Outcomes, k: number, axes: Axes, curves: Curves): void {
  const { areaRanges, maxDets, recallThresholds, categoryIds } = axes;
  const { positions } = task.thresholds;
  const cells = categoryIds.length * areaRanges.length * maxDets.length;
  const descent = newDescent(positions.length, maxDets.length, Math.max(...outcomes.positives));
  outcomes.positives.forEach((positives, a) => {
    if (positives === 0) return;
    const needed = neededTruePositives(recallThresholds, positives);
    descend(task, outcomes, a, descent);
    descent.found.forEach((found, curve) => {
      const m = Math.floor(curve / positions.length);
      const t = positions[curve % positions.length] as number;
      const cell = (k * areaRanges.length + a) * maxDets.length + m;
      curves.recall[t * cells + cell] = Math.max(found, 0) / positives;
      sampleCurve(descent, curve, needed, curves, t * needed.length * cells + cell, cells);
    });
  });
}

/** The fewest true positives whose recall, computed in doubles, is at least each threshold. */
function neededTruePositives(recallThresholds: Float64Array, positives: number): Int32Array {
  let needed = 0;
  return Int32Array.from(recallThresholds, (threshold) => {
    while (needed / positives < threshold) needed++;
    return needed;
  });
}

/** Writes one curve from `offset` on, at every `stride`. */
function sampleCurve(
  { found, length, precision, score }: Descent,
  curve: number,
  needed: Int32Array,
  curves: Curves,
  offset: number,
  stride: number,
): void {
  for (let r = 0; r < needed.length; r++) {
    const n = needed[r] as number;
    const isReached = n <= (found[curve] as number);
    curves.precision[offset + r * stride] = isReached ? (precision[curve * length + n] as number) : 0;
    curves.scores[offset + r * stride] = isReached ? (score[curve * length + n] as number) : 0;
  }
}
