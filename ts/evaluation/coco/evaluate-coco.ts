/** The COCO detection metric, equal to pycocotools 2.0.11 to the last bit of every array. */
import { accumulateClass, type Curves, emptyCurves } from "./accumulate.js";
import { boxIous } from "./box-iou.js";
import { type CocoGroundTruth, type CocoResult, readCocoGroundTruth, readCocoResults } from "./coco-format.js";
import { detectionColumns, groundTruthColumns } from "./columns.js";
import { type Federation, federate, ignoreUnverified } from "./federated.js";
import { groupDetections, groupGroundTruth } from "./grouping.js";
import { type CocoMatches, recordMatches } from "./matches.js";
import { type Annotations, matchClass } from "./matching.js";
import { type Axes, type EvaluateCocoOptions, type Parameters, resolveOptions } from "./options.js";
import { type ClassSummary, type CocoSummary, summarize, summarizeClasses } from "./summarize.js";
import { type LvisSummary, summarizeLvis } from "./summarize-lvis.js";

export interface CocoEvaluation extends Curves {
  readonly axes: Axes;
  readonly summary: CocoSummary;
  /** The twelve numbers of `summary`: AP AP50 AP75 APs APm APl AR1 AR10 AR100 ARs ARm ARl. */
  readonly stats: readonly number[];
  /** Empty with `useCats: false`. */
  readonly perClass: readonly ClassSummary[];
  /** What in the input makes the numbers other than they seem. */
  readonly warnings: readonly string[];
  /** With the option `matches`. */
  readonly matches?: CocoMatches;
  /** With the option `federated`. */
  readonly lvis?: LvisSummary;
}

/** An evaluation with the option `matches`. */
export type MatchedEvaluation = CocoEvaluation & { readonly matches: CocoMatches };

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
  dt: string | readonly CocoResult[],
  options: EvaluateCocoOptions & { readonly matches: true },
): Promise<MatchedEvaluation>;
export async function evaluateCoco(
  gt: string | CocoGroundTruth,
  dt: string | readonly CocoResult[],
  options?: EvaluateCocoOptions,
): Promise<CocoEvaluation>;
export async function evaluateCoco(
  gt: string | CocoGroundTruth,
  dt: string | readonly CocoResult[],
  options: EvaluateCocoOptions = {},
): Promise<CocoEvaluation> {
  const groundTruth = typeof gt === "string" ? await readCocoGroundTruth(gt) : gt;
  const results = typeof dt === "string" ? await readCocoResults(dt) : dt;
  return evaluateParsed(groundTruth, results, options);
}

function evaluateParsed(
  groundTruth: CocoGroundTruth,
  results: readonly CocoResult[],
  options: EvaluateCocoOptions,
): CocoEvaluation {
  const parameters = resolveOptions(groundTruth, options);
  const { axes, useCats } = parameters;
  const { annotations, federation } = prepare(groundTruth, results, parameters, options);
  const { gt, dt } = annotations;
  const recorder = options.matches
    ? recordMatches(annotations, parameters, groundTruth.categories, (d, g) => boxIous(dt, d, gt, g))
    : undefined;
  const curves = emptyCurves(axes);
  axes.categoryIds.forEach((_, k) => {
    const classMatches = matchClass(annotations, k, axes, recorder?.onMatch(k));
    if (federation) ignoreUnverified(annotations, k, classMatches, federation);
    accumulateClass(classMatches, k, axes, curves);
    recorder?.finish(k, classMatches);
  });
  const summary = summarize(curves, axes);
  return {
    ...curves,
    axes,
    summary,
    stats: Object.values(summary) as number[],
    perClass: useCats ? summarizeClasses(curves, axes, groundTruth.categories) : [],
    warnings: warningsAbout(gt.id),
    ...(recorder && { matches: recorder.matches }),
    ...(federation && { lvis: summarizeLvis(curves, axes, groundTruth.categories) }),
  };
}

function prepare(
  groundTruth: CocoGroundTruth,
  results: readonly CocoResult[],
  parameters: Parameters,
  { federated }: EvaluateCocoOptions,
): { annotations: Annotations; federation: Federation | undefined } {
  const all = {
    gt: groundTruthColumns(groundTruth, parameters),
    dt: detectionColumns(results, groundTruth, parameters),
  };
  const federation = federated ? federate(groundTruth, all.gt, all.dt, parameters) : undefined;
  const { gt, dt } = federation ?? all;
  const gtGroups = groupGroundTruth(gt, parameters);
  return { annotations: { gt, dt, gtGroups, dtGroups: groupDetections(dt, parameters) }, federation };
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
