/** The COCO detection metric, equal to pycocotools 2.0.11 to the last bit of every array. */
import { type CocoEvaluation, evaluate, type MatchedEvaluation } from "./evaluation.js";
import { type GroundTruthInput, loadGroundTruth } from "./input/ground-truth.js";
import { loadResults, type ResultsInput } from "./input/results.js";
import { type EvaluateCocoOptions, resolveOptions } from "./options.js";

/**
 * Evaluates detections against ground truth. Neither is changed. The thread is busy meanwhile, also while it reads.
 * FILE_NOT_FOUND, ANNOTATIONS_INVALID or CONFIG_INVALID name what is wrong with a path, a record or an option. What pycocotools
 * takes too but may not be meant is in `warnings`.
 *
 * What differs from pycocotools on purpose: no detections at all are none rather than an error, a missing `iscrowd` is 0, a
 * category listed twice counts once, with fewer than three `maxDets` the numbers that ask for a missing one are -1, and ids are
 * whole numbers, scores and areas finite ones and boxes within 1e100 px. Masks of results may have any form, but masks that
 * are compared must be whole: runs fill their size, and polygons have three corners or more, within 10 million px.
 *
 * @param gt ground truth: parsed JSON, columns, or the path of a JSON file of any size, of which only columns are held.
 * @param dt results, likewise. For detections that come image by image see `createEvaluator`.
 */
export async function evaluateCoco(
  gt: GroundTruthInput,
  dt: ResultsInput,
  options: EvaluateCocoOptions & { readonly matches: true },
): Promise<MatchedEvaluation>;
export async function evaluateCoco(
  gt: GroundTruthInput,
  dt: ResultsInput,
  options?: EvaluateCocoOptions,
): Promise<CocoEvaluation>;
export async function evaluateCoco(
  gt: GroundTruthInput,
  dt: ResultsInput,
  options: EvaluateCocoOptions = {},
): Promise<CocoEvaluation> {
  const iouType = options.iouType ?? "bbox";
  const groundTruth = loadGroundTruth(gt, options);
  const parameters = resolveOptions(groundTruth, options);
  const source = { record: "result", file: typeof dt === "string" ? dt : undefined };
  return evaluate(groundTruth, loadResults(dt, iouType, source), parameters, source);
}
