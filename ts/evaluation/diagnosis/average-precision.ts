/** AP of matches, by the code that computes the AP of an evaluation. */
import { CasslError } from "../../core/errors.js";
import { accumulateClass, type Curves, emptyCurves } from "../coco/accumulate.js";
import type { CocoMatches } from "../coco/matches.js";
import type { ClassMatches } from "../coco/matching.js";
import type { Axes } from "../coco/options.js";
import { scoreRanks, sortStable, startsOf } from "../coco/sorting.js";
import { averageOf } from "../coco/summarize.js";

/** Detections in any order, each with the class that it counts for. */
export interface Outcomes {
  /** (D,). Into `Axes.categoryIds`. */
  readonly category: Int32Array;
  /** (D,). */
  readonly score: Float64Array;
  /** (T, D). IGNORED, TRUE_POSITIVE or FALSE_POSITIVE. */
  readonly outcome: Uint8Array;
}

/** The curves of all classes, equal to those of the evaluation. (T, R, K, 1, 1) and (T, K, 1, 1). */
export function accumulateMatches({ axes, detections, groundTruth }: CocoMatches): Curves {
  return accumulateOutcomes(detections, countPositives(groundTruth, axes.categoryIds.length), axes);
}

/** Curves of any outcomes. @param positives (K,). @param axes of one area range and one of maxDets. */
export function accumulateOutcomes(outcomes: Outcomes, positives: Int32Array, axes: Axes): Curves {
  const curves = emptyCurves(axes);
  classesOf(outcomes, positives, axes).forEach((classMatches, k) => {
    accumulateClass(classMatches, k, axes, curves);
  });
  return curves;
}

/** AP in [0, 1] over all thresholds and classes with ground truth; -1 without any. */
export function averagePrecision({ precision }: Curves, axes: Axes): number {
  return averageOf(precision, axes.recallThresholds.length, axes, { area: "all", maxDet: axes.maxDets.at(-1) });
}

/** (K,). Ground truth to be found. */
export function countPositives(
  { category, ignored }: { readonly category: Int32Array; readonly ignored: Uint8Array },
  classes: number,
): Int32Array {
  const counts = new Int32Array(classes);
  category.forEach((k, row) => {
    if (ignored[row] === 0) counts[k] = (counts[k] as number) + 1;
  });
  return counts;
}

/** Position of an IoU threshold of the evaluation. CONFIG_INVALID if it has no such threshold. */
export function thresholdIndex({ axes: { iouThresholds } }: CocoMatches, iou: number): number {
  const t = iouThresholds.findIndex((threshold) => Math.abs(threshold - iou) < 1e-9);
  if (t >= 0) return t;
  const message = `The evaluation has no matches at IoU ${iou}, only at ${iouThresholds.join(", ")}.`;
  throw new CasslError("CONFIG_INVALID", message, "Name one of these, or evaluate with this one in iouThresholds.");
}

function classesOf(outcomes: Outcomes, positives: Int32Array, axes: Axes): ClassMatches[] {
  const { category, score, outcome } = outcomes;
  const sorted = rowsInOrder(outcomes, positives.length);
  const starts = startsOf(sorted, category, positives.length);
  return Array.from(positives, (count, k) => {
    const rows = sorted.subarray(starts[k], starts[k + 1]);
    const outcomes = new Uint8Array(axes.iouThresholds.length * rows.length);
    axes.iouThresholds.forEach((_, t) => {
      outcomes.set(
        rows.map((row) => outcome[t * score.length + row] as number),
        t * rows.length,
      );
    });
    return {
      scores: Float64Array.from(rows, (row) => score[row] as number),
      rankInImage: new Int32Array(rows.length),
      outcomes,
      positives: Int32Array.of(count),
    };
  });
}

/** Rows by class, and by descending score within it. The tables of matches are in that order already. */
function rowsInOrder({ category, score }: Outcomes, classes: number): Int32Array {
  const all = category.map((_, row) => row);
  const isInOrder = all.every((row) => {
    if (row === 0 || (category[row] as number) > (category[row - 1] as number)) return true;
    return category[row] === category[row - 1] && (score[row] as number) <= (score[row - 1] as number);
  });
  return isInOrder ? all : sortStable(sortStable(all, scoreRanks(score), score.length), category, classes);
}
