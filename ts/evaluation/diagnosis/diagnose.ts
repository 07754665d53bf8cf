/** All diagnoses of one evaluation. */
import type { CocoGroundTruth, CocoResults } from "../coco/coco-format.js";
import { evaluateCoco } from "../coco/evaluate-coco.js";
import type { MatchedEvaluation } from "../coco/evaluation.js";
import type { CocoMatches } from "../coco/matches.js";
import type { EvaluateCocoOptions } from "../coco/options.js";
import type { ClassSummary } from "../coco/summarize.js";
import { type BestThreshold, bestThresholds } from "./best-threshold.js";
import { type Calibration, calibrate } from "./calibration.js";
import { type ClassAwareness, compareClassAwareness } from "./class-awareness.js";
import { type ConfusionMatrix, confusionMatrix } from "./confusion.js";
import { countPositives } from "./matched.js";
import { type ErrorSplit, splitErrors } from "./tide.js";
import { type ImageErrors, worstImages } from "./worst-images.js";

export type DiagnoseOptions = Omit<EvaluateCocoOptions, "useCats" | "matches" | "federated">;

export interface ClassDiagnosis extends ClassSummary, BestThreshold {
  /** Ground truth to be found. */
  readonly positives: number;
  /** Detections that were evaluated. */
  readonly detections: number;
}

/** Everything at IoU 0.5 but the APs and ARs over all thresholds. */
export interface Diagnosis {
  readonly perClass: readonly ClassDiagnosis[];
  /** The one score threshold that is best for all classes together. */
  readonly bestThreshold: BestThreshold;
  readonly errors: ErrorSplit;
  /** Of the detections at the best threshold or above, of all if none finds anything. */
  readonly confusion: ConfusionMatrix;
  readonly calibration: Calibration;
  readonly classAwareness: ClassAwareness;
  /** By errors of the same detections. */
  readonly worstImages: readonly ImageErrors[];
}

/** Refuses what `evaluateCoco` refuses, and IoU thresholds without 0.5. */
export async function diagnose(
  gt: CocoGroundTruth,
  dt: CocoResults,
  options: DiagnoseOptions = {},
): Promise<{ readonly evaluation: MatchedEvaluation; readonly diagnosis: Diagnosis }> {
  const evaluation = await evaluateCoco(gt, dt, { ...options, matches: true });
  const { matches } = evaluation;
  const { overall, perClass } = bestThresholds(matches);
  const minScore = overall.threshold ?? -Infinity;
  const counts = countPositives(matches);
  const diagnosis = {
    perClass: evaluation.perClass.map((summary, k) => ({
      ...summary,
      ...(perClass[k] as BestThreshold),
      positives: counts[k] as number,
      detections: countDetections(matches, k),
    })),
    bestThreshold: overall,
    errors: splitErrors(matches),
    confusion: confusionMatrix(matches, { minScore }),
    calibration: calibrate(matches),
    classAwareness: await compareClassAwareness(evaluation, gt, dt, options),
    worstImages: worstImages(matches, { minScore }),
  };
  return { evaluation, diagnosis };
}

function countDetections({ detections: { classStarts } }: CocoMatches, k: number): number {
  return (classStarts[k + 1] as number) - (classStarts[k] as number);
}
