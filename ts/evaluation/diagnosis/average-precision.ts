/** AP of matches, equal to that of the evaluation to the last bit. */
import { neededTruePositives } from "../coco/accumulate.js";
import type { CocoMatches } from "../coco/matches.js";
import type { Axes } from "../coco/options.js";
import { sortByKey, startsOf } from "../coco/sorting.js";
import { pairwiseSum } from "../coco/summarize.js";
import { copies, judge, samplePrecision } from "./curves.js";
import { countPositives } from "./matched.js";
import { byDescendingScore } from "./ordering.js";

/** Detections in any order, each with the class that it counts for. */
export interface Outcomes {
  /** (D,). Into `Axes.categoryIds`. */
  readonly category: Int32Array;
  /** (D,). Rows by descending score. */
  readonly order: Int32Array;
  /** (T, D). IGNORED, TRUE_POSITIVE or FALSE_POSITIVE. */
  readonly outcome: Uint8Array;
}

/** Of all thresholds and classes, in [0, 1]; -1 without ground truth. */
export function averagePrecision(matches: CocoMatches): number {
  const { category, score, outcome } = matches.detections;
  const outcomes = { category, order: byDescendingScore(score), outcome };
  return meanPrecision(samplePrecisions(outcomes, countPositives(matches), matches.axes));
}

/**
 * (T, R, K). The highest precision at each recall threshold or above; -1 for a class without ground truth.
 * @param positives ground truth to be found: (K,).
 */
export function samplePrecisions(
  outcomes: Outcomes,
  positives: Int32Array,
  { iouThresholds, recallThresholds }: Axes,
): Float64Array {
  const { category, order, outcome } = outcomes;
  const classes = positives.length;
  const precisions = new Float64Array(iouThresholds.length * recallThresholds.length * classes).fill(-1);
  const samples = new Float64Array(recallThresholds.length);
  const sorted = sortByKey(order, category, classes);
  const starts = startsOf(sorted, category, classes);
  positives.forEach((count, k) => {
    if (count === 0) return;
    const rows = sorted.subarray(starts[k], starts[k + 1]);
    const once = copies(new Int32Array(rows.length).fill(1));
    const needed = neededTruePositives(recallThresholds, count);
    iouThresholds.forEach((_, t) => {
      const ofThreshold = Uint8Array.from(rows, (row) => outcome[t * order.length + row] as number);
      samplePrecision(judge(ofThreshold), once, needed, samples);
      samples.forEach((precision, r) => {
        precisions[(t * samples.length + r) * classes + k] = precision;
      });
    });
  });
  return precisions;
}

/** The mean of the precisions that are not -1, or -1 if all are. */
export function meanPrecision(precisions: Float64Array): number {
  const known = precisions.filter((precision) => precision > -1);
  return known.length === 0 ? -1 : pairwiseSum(known, 0, known.length) / known.length;
}
