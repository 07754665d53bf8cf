/** The COCO detection metric, equal to pycocotools 2.0.11 to the last bit of every array. */
import { accumulateClass, type Curves, emptyCurves } from "./accumulate.js";
import { boxIous } from "./box-iou.js";
import { type CocoGroundTruth, type CocoResults, readCocoGroundTruth, readCocoResults } from "./coco-format.js";
import { detectionColumns, groundTruthColumns } from "./columns.js";
import { groupDetections, groupGroundTruth } from "./grouping.js";
import { groundTruthMasks, resultMasks } from "./mask-columns.js";
import { maskIous } from "./mask-iou.js";
import { matchClass } from "./matching.js";
import { type Axes, type EvaluateCocoOptions, resolveOptions } from "./options.js";
import { type ClassSummary, type CocoSummary, summarize, summarizeClasses } from "./summarize.js";

export interface CocoEvaluation extends Curves {
  readonly axes: Axes;
  readonly summary: CocoSummary;
  /** The twelve numbers of `summary`: AP AP50 AP75 APs APm APl AR1 AR10 AR100 ARs ARm ARl. */
  readonly stats: readonly number[];
  /** Empty with `useCats: false`. */
  readonly perClass: readonly ClassSummary[];
  /** What in the input makes the numbers other than they seem. */
  readonly warnings: readonly string[];
}

/**
 * Evaluates detections against ground truth. Neither is changed.
 * FILE_NOT_FOUND, ANNOTATIONS_INVALID or CONFIG_INVALID name what is wrong with a path, a record or an option.
 *
 * What differs from pycocotools on purpose: no detections at all are none rather than an error, a missing `iscrowd` is 0, a
 * category listed twice counts once, and with fewer than three `maxDets` the numbers that ask for a missing one are -1.
 *
 * @param gt ground truth, or the path of its JSON file.
 * @param dt results, or the path of their JSON file.
 */
export async function evaluateCoco(
  gt: string | CocoGroundTruth,
  dt: string | CocoResults,
  options: EvaluateCocoOptions = {},
): Promise<CocoEvaluation> {
  const groundTruth = typeof gt === "string" ? await readCocoGroundTruth(gt) : gt;
  const results = typeof dt === "string" ? await readCocoResults(dt) : dt;
  return evaluateParsed(groundTruth, results, options);
}

function evaluateParsed(
  groundTruth: CocoGroundTruth,
  results: CocoResults,
  options: EvaluateCocoOptions,
): CocoEvaluation {
  const parameters = resolveOptions(groundTruth, options);
  const { axes, iouType, useCats } = parameters;
  const gtMasks = groundTruthMasks(groundTruth);
  const dtMasks = resultMasks(results, groundTruth.images);
  const gt = groundTruthColumns(groundTruth, parameters);
  const dt = detectionColumns(results, groundTruth, parameters, dtMasks);
  const ious = iouType === "segm" ? maskIous(dtMasks, gtMasks, gt.iscrowd, axes.iouThresholds) : boxIous(dt, gt);
  const groups = { gtGroups: groupGroundTruth(gt, parameters), dtGroups: groupDetections(dt, parameters) };
  const annotations = { gt, dt, ious, ...groups };
  const curves = emptyCurves(axes);
  axes.categoryIds.forEach((_, k) => accumulateClass(matchClass(annotations, k, axes), k, axes, curves));
  const summary = summarize(curves, axes);
  return {
    ...curves,
    axes,
    summary,
    stats: Object.values(summary) as number[],
    perClass: useCats ? summarizeClasses(curves, axes, groundTruth.categories) : [],
    warnings: [...warningsAbout(gt.id), ...gtMasks.warnings(), ...dtMasks.warnings()],
  };
}

function warningsAbout(ids: Float64Array): string[] {
  const warnings: string[] = [];
  if (ids.includes(0)) {
    warnings.push(
      "A ground-truth annotation has the id 0: as in pycocotools, a detection of it counts as wrong. Use ids from 1.",
    );
  }
  if (new Set(ids).size !== ids.length) {
    warnings.push("Ground-truth annotations share an id: as in pycocotools, the last of them stands in for all.");
  }
  return warnings;
}
