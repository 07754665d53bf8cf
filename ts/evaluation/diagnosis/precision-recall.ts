/** Precision-recall curves of each class. */
import { neededTruePositives } from "../coco/accumulate.js";
import type { CocoMatches } from "../coco/matches.js";
import { copies, type Judgement, judge, samplePrecision } from "./curves.js";
import { countPositives, outcomesAt, thresholdIndex } from "./matched.js";

/** Points by descending score; all values in [0, 1] but the scores. */
export interface Curve {
  readonly recall: Float64Array;
  readonly precision: Float64Array;
  readonly score: Float64Array;
}

export interface ClassCurve {
  readonly categoryId: number;
  readonly name: string;
  /** Ground truth to be found. Without any, both curves are empty. */
  readonly positives: number;
  /** One point for each detection that is right or wrong: recall and precision of it and those before it. */
  readonly raw: Curve;
  /**
   * (R,) What AP is the mean of: the highest precision at each recall threshold or above, and the score at which the recall
   * is reached; both 0 beyond the last recall.
   */
  readonly sampled: Curve;
}

/** @param iou one of the evaluation's thresholds, else CONFIG_INVALID. */
export function precisionRecallCurves(matches: CocoMatches, { iou = 0.5 } = {}): ClassCurve[] {
  const outcomes = outcomesAt(matches, thresholdIndex(matches, iou));
  const { classStarts, score } = matches.detections;
  const positives = countPositives(matches);
  return matches.categories.map(({ id, name }, k) => {
    const [start, end] = [classStarts[k], classStarts[k + 1]];
    const count = positives[k] as number;
    const judgement = judge(outcomes.subarray(start, end));
    const scores = score.subarray(start, end);
    return {
      categoryId: id,
      name,
      positives: count,
      raw: count === 0 ? emptyCurve() : rawCurve(judgement, scores, count),
      sampled: count === 0 ? emptyCurve() : sampledCurve(judgement, scores, count, matches.axes.recallThresholds),
    };
  });
}

function rawCurve({ right, ignored }: Judgement, scores: Float64Array, positives: number): Curve {
  const isRight = new Set(right);
  const isIgnored = new Set(ignored);
  const places = [...scores.keys()].filter((place) => !isIgnored.has(place));
  let found = 0;
  const foundUpTo = places.map((place) => (isRight.has(place) ? ++found : found));
  return {
    recall: Float64Array.from(foundUpTo, (count) => count / positives),
    precision: Float64Array.from(foundUpTo, (count, point) => count / (point + 1)),
    score: Float64Array.from(places, (place) => scores[place] as number),
  };
}

function sampledCurve(judgement: Judgement, scores: Float64Array, positives: number, recall: Float64Array): Curve {
  const needed = neededTruePositives(recall, positives);
  const precision = new Float64Array(recall.length);
  samplePrecision(judgement, copies(new Int32Array(scores.length).fill(1)), needed, precision);
  // The recall 0 is reached at the first detection, whatever it is.
  const reachedAt = (count: number) => scores[count === 0 ? 0 : (judgement.right[count - 1] ?? -1)] ?? 0;
  return { recall, precision, score: Float64Array.from(needed, reachedAt) };
}

function emptyCurve(): Curve {
  return { recall: new Float64Array(0), precision: new Float64Array(0), score: new Float64Array(0) };
}
