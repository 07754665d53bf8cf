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
  const cells = categoryIds.length * areaRanges.length * maxDets.length;
  areaRanges.forEach((_, a) => {
    const positives = outcomes.positives[a] as number;
    if (positives === 0) return;
    const needed = neededTruePositives(recallThresholds, positives);
    const descent = newDescent(task.thresholds, positives);
    maxDets.forEach((limit, m) => {
      const cell = (k * areaRanges.length + a) * maxDets.length + m;
      descend(task, outcomes, a, limit, descent);
      task.thresholds.positions.forEach((t, bit) => {
        curves.recall[t * cells + cell] = (descent.found[bit] as number) / positives;
        sampleCurve(descent, bit, needed, curves, t * needed.length * cells + cell, cells);
      });
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
  { isEmpty, found, length, precision, score }: Descent,
  bit: number,
  needed: Int32Array,
  curves: Curves,
  offset: number,
  stride: number,
): void {
  const most = isEmpty ? -1 : (found[bit] as number);
  for (let r = 0; r < needed.length; r++) {
    const n = needed[r] as number;
    const at = offset + r * stride;
    curves.precision[at] = n <= most ? (precision[bit * length + n] as number) : 0;
    curves.scores[at] = n <= most ? (score[bit * length + n] as number) : 0;
  }
}
