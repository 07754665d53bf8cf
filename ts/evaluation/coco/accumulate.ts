/** Matches to precision-recall curves, as pycocotools accumulates them. */
import { type ClassMatches, FALSE_POSITIVE, TRUE_POSITIVE } from "./matching.js";
import type { Axes } from "./options.js";

/** The distance from 1 to the next double: what pycocotools adds to a denominator. */
export const EPSILON = 2 ** -52;

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

/** Writes the curves of one class. @param k class, into `Axes.categoryIds`. */
export function accumulateClass(matches: ClassMatches, k: number, axes: Axes, curves: Curves): void {
  const { iouThresholds, recallThresholds, categoryIds, areaRanges, maxDets } = axes;
  const cells = categoryIds.length * areaRanges.length * maxDets.length;
  const descent = newDescent(matches.scores.length);
  areaRanges.forEach((_, a) => {
    const positives = matches.positives[a] as number;
    if (positives === 0) return;
    const needed = neededTruePositives(recallThresholds, positives);
    maxDets.forEach((limit, m) => {
      const cell = (k * areaRanges.length + a) * maxDets.length + m;
      for (let t = 0; t < iouThresholds.length; t++) {
        const found = descend(matches, a * iouThresholds.length + t, limit, descent);
        curves.recall[t * cells + cell] = Math.max(found, 0) / positives;
        sampleCurve(descent, found, needed, curves, t * needed.length * cells + cell, cells);
      }
    });
  });
}

/** The fewest true positives whose recall, computed in doubles, is at least each threshold. */
export function neededTruePositives(recallThresholds: Float64Array, positives: number): Int32Array {
  let needed = 0;
  return Int32Array.from(recallThresholds, (threshold) => {
    while (needed / positives < threshold) needed++;
    return needed;
  });
}

/**
 * The way down the detections by score. Recall and the highest precision change only at true positives, so only those are kept:
 * entry n is the n-th true positive, entry 0 the first detection, whatever it is.
 */
interface Descent {
  /** Highest precision from there on. */
  readonly precision: Float64Array;
  readonly score: Float64Array;
}

function newDescent(detections: number): Descent {
  return { precision: new Float64Array(detections + 1), score: new Float64Array(detections + 1) };
}

/**
 * Fills in `descent` for one row of outcomes, of each image only the `limit` best.
 * Returns the number of true positives, or -1 if there are no detections.
 */
function descend(matches: ClassMatches, row: number, limit: number, { precision, score }: Descent): number {
  const { outcomes, rankInImage, scores } = matches;
  const offset = row * scores.length;
  let truePositives = 0;
  let falsePositives = 0;
  let first = -1;
  for (let place = 0; place < scores.length; place++) {
    if ((rankInImage[place] as number) >= limit) continue;
    if (first < 0) first = place;
    const outcome = outcomes[offset + place];
    if (outcome === TRUE_POSITIVE) {
      truePositives++;
      precision[truePositives] = truePositives / (falsePositives + truePositives + EPSILON);
      score[truePositives] = scores[place] as number;
    } else if (outcome === FALSE_POSITIVE) falsePositives++;
  }
  if (first < 0) return -1;
  precision[0] = 0;
  score[0] = scores[first] as number;
  for (let n = truePositives; n > 0; n--)
    precision[n - 1] = Math.max(precision[n - 1] as number, precision[n] as number);
  return truePositives;
}

/** Writes one curve from `offset` on, at every `stride`. */
function sampleCurve(
  descent: Descent,
  found: number,
  needed: Int32Array,
  { precision, scores }: Curves,
  offset: number,
  stride: number,
): void {
  needed.forEach((n, r) => {
    precision[offset + r * stride] = n <= found ? (descent.precision[n] as number) : 0;
    scores[offset + r * stride] = n <= found ? (descent.score[n] as number) : 0;
  });
}
