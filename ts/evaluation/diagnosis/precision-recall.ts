/** Precision-recall curves of each class. */
import type { CocoMatches } from "../coco/matches.js";
import { FALSE_POSITIVE, IGNORED, TRUE_POSITIVE } from "../coco/matching.js";
import { accumulateMatches, countPositives, thresholdIndex } from "./average-precision.js";

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
  /** (R,) What AP is the mean of: the highest precision at each recall threshold or above, 0 beyond the last recall. */
  readonly sampled: Curve;
}

/** @param iou one of the evaluation's thresholds, else CONFIG_INVALID. */
export function precisionRecallCurves(matches: CocoMatches, { iou = 0.5 } = {}): ClassCurve[] {
  const t = thresholdIndex(matches, iou);
  const positives = countPositives(matches.groundTruth, matches.categories.length);
  const { precision, scores } = accumulateMatches(matches);
  const { recallThresholds } = matches.axes;
  return matches.categories.map(({ id, name }, k) => {
    const count = positives[k] as number;
    const recall = count === 0 ? new Float64Array(0) : recallThresholds;
    const cell = (r: number): number => (t * recallThresholds.length + r) * matches.categories.length + k;
    return {
      categoryId: id,
      name,
      positives: count,
      raw: rawCurve(matches, k, t, count),
      sampled: {
        recall,
        precision: recall.map((_, r) => precision[cell(r)] as number),
        score: recall.map((_, r) => scores[cell(r)] as number),
      },
    };
  });
}

function rawCurve({ detections }: CocoMatches, k: number, t: number, positives: number): Curve {
  const { classStarts, outcome, score } = detections;
  const start = classStarts[k] as number;
  const outcomes = outcome.subarray(t * score.length).subarray(start, classStarts[k + 1]);
  const counted = positives === 0 ? [] : [...outcomes.keys()].filter((place) => outcomes[place] !== IGNORED);
  let found = 0;
  let wrong = 0;
  const points = counted.map((place) => {
    if (outcomes[place] === TRUE_POSITIVE) found++;
    if (outcomes[place] === FALSE_POSITIVE) wrong++;
    return { recall: found / positives, precision: found / (found + wrong), score: score[start + place] as number };
  });
  return {
    recall: Float64Array.from(points, (point) => point.recall),
    precision: Float64Array.from(points, (point) => point.precision),
    score: Float64Array.from(points, (point) => point.score),
  };
}
