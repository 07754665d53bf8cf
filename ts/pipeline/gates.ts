/** Checks between the stages: a run whose pseudo-labeler or pseudo labels are sick stops before the next stage is paid for. */
import { CasslError } from "../core/errors.js";
import type { Collapse } from "../labels/collapse.js";
import type { SelectionStats } from "../labels/selection-stats.js";
import type { Config, GateName } from "./config.js";
import type { LabelerQuality } from "./judge-labeler.js";
import type { LabelEvidence } from "./label-evidence.js";
import type { EmitEvent } from "./step.js";

/** As stored in result.json. */
export interface GateResult {
  readonly name: GateName;
  /** Of what, such as `class_agnostic` or `class_agnostic/round_2`. */
  readonly scope: string;
  readonly value: number;
  readonly limit: number;
  readonly passed: boolean;
  /** Whether the run went on although the gate was not passed, because the configuration says so. */
  readonly overridden: boolean;
  /** What was measured, in a sentence. */
  readonly reason: string;
  readonly remedy: string;
}

/** What a gate measures. */
export interface Measurement {
  readonly name: GateName;
  readonly value: number;
  /** The sentence up to the limit, with the value in it. */
  readonly says: string;
  /** What to do where the limit is broken, beside changing it. */
  readonly remedy: string;
}

const THRESHOLD = "stages.pseudo_label.select.score_threshold";
const TRAIN_LONGER = "Train the pseudo-labeler longer (stages.pseudo_label.solver.iterations)";
/** What wrong pseudo labels teach is worse than nothing: docs/results.md. */
const WITHOUT_LABELER = "train on the labels alone (`arms: [supervised]`)";

/** Of a pseudo-labeler on images that it has not trained on: none without such images. */
export function labelerMeasurements(quality: LabelerQuality | undefined): Measurement[] {
  if (quality === undefined) return [];
  const { threshold, average_recall, calibration_error } = quality;
  const { images, objects, score_threshold } = threshold;
  const where = `on ${images} held-out images with ${objects} objects`;
  const at = `At the score threshold ${score_threshold.toFixed(3)}`;
  return [
    {
      name: "min_precision",
      value: threshold.precision,
      says: `${at}, ${percent(threshold.precision)} of the boxes ${where} are right`,
      remedy: `${TRAIN_LONGER}, raise ${THRESHOLD}, label more images, or ${WITHOUT_LABELER}`,
    },
    {
      name: "min_recall",
      value: threshold.recall,
      says: `${at}, ${percent(threshold.recall)} of the objects are found ${where}`,
      remedy: `${TRAIN_LONGER}, lower ${THRESHOLD}, label more images, or ${WITHOUT_LABELER}`,
    },
    {
      name: "min_average_recall",
      value: average_recall,
      says: `The average recall over IoU 0.5 to 0.95 ${where} is ${percent(average_recall)}`,
      remedy: `${TRAIN_LONGER}, label more images, or ${WITHOUT_LABELER}`,
    },
    {
      name: "max_calibration_error",
      value: calibration_error,
      says: `Scores and precision ${where} differ by ${percent(calibration_error)} on average`,
      remedy: `${TRAIN_LONGER}, and let ${THRESHOLD} be chosen (auto) rather than fixed`,
    },
  ];
}

/**
 * Of pseudo labels against the labeled set.
 * @param groundTruthPerImage mean ground-truth boxes of a labeled image.
 */
export function pseudoLabelMeasurements(
  stats: SelectionStats,
  evidence: LabelEvidence,
  groundTruthPerImage: number,
): Measurement[] {
  const { images, pseudo_labels, predictions, dropped } = stats;
  const boxRatio = pseudo_labels / images / groundTruthPerImage;
  const ratio = `The pseudo labels have ${boxRatio.toFixed(2)} times as many boxes per image as the ground truth`;
  const empty = stats.empty_images / images;
  const kept = predictions === 0 ? 0 : 1 - dropped.score / predictions;
  const full = evidence.full_images / images;
  const capped = pseudo_labels === 0 ? 0 : evidence.capped / pseudo_labels;
  return [
    {
      name: "min_pseudo_labels",
      value: pseudo_labels,
      says: `${predictions} predictions on ${images} images became ${pseudo_labels} pseudo labels`,
      remedy: `Lower ${THRESHOLD}, or train the pseudo-labeler longer`,
    },
    {
      name: "min_box_ratio",
      value: boxRatio,
      says: ratio,
      remedy: `Lower ${THRESHOLD}, or train the pseudo-labeler longer`,
    },
    { name: "max_box_ratio", value: boxRatio, says: ratio, remedy: `Raise ${THRESHOLD}` },
    {
      name: "max_empty_share",
      value: empty,
      says: `${percent(empty)} of the unlabeled images have no pseudo label`,
      remedy: `Lower ${THRESHOLD}, or look for unlabeled images without objects`,
    },
    {
      name: "max_kept_share",
      value: kept,
      says: `${percent(kept)} of the predictions reach the score threshold, which decides little then`,
      remedy: `Raise ${THRESHOLD}, or lower stages.pseudo_label.predict.score_threshold`,
    },
    {
      name: "max_full_share",
      value: full,
      says: `${percent(full)} of the images have as many pseudo labels as max_per_image allows`,
      remedy: `Raise ${THRESHOLD}, or raise stages.pseudo_label.select.max_per_image`,
    },
    {
      name: "max_capped_share",
      value: capped,
      says: `${percent(capped)} of the pseudo labels have a score of 0.999 or above, so that scores tell no difference`,
      remedy: "Train the pseudo-labeler for fewer iterations, or label more images: it knows its images by heart",
    },
    ...(evidence.collapse === undefined ? [] : [collapseMeasurement(evidence.collapse)]),
  ];
}

function collapseMeasurement({ predicted, groundTruth }: Collapse): Measurement {
  const fit = `One fixed box has a mean IoU of ${predicted.toFixed(2)} with the best pseudo labels`;
  return {
    name: "max_collapse",
    value: Math.max(0, predicted - groundTruth),
    says: `${fit} and of ${groundTruth.toFixed(2)} with the ground truth: the more it fits better, the more the pseudo-labeler finds the same everywhere`,
    remedy: `${TRAIN_LONGER}, at a lower learning rate, and look at its pseudo labels`,
  };
}

/** Reports every gate. GATE_FAILED for the first that is neither passed nor overridden. */
export function checkGates(
  scope: string,
  measurements: readonly Measurement[],
  limits: Config["gates"],
  emit: EmitEvent,
): GateResult[] {
  const results = measurements.map((measurement) => judge(scope, measurement, limits));
  for (const value of results) emit({ $case: "gate_checked", value });
  const failed = results.find(({ passed, overridden }) => !passed && !overridden);
  if (failed !== undefined) throw new CasslError("GATE_FAILED", `${failed.scope}: ${failed.reason}`, failed.remedy);
  return results;
}

function judge(scope: string, { name, value, says, remedy }: Measurement, limits: Config["gates"]): GateResult {
  const limit = limits[name];
  const isLeast = name.startsWith("min_");
  const passed = isLeast ? value >= limit : value <= limit;
  const side = isLeast ? "below" : "above";
  return {
    name,
    scope,
    value,
    limit,
    passed,
    overridden: !passed && limits.override.includes(name),
    reason: `${says}; ${passed ? "within" : `${side}`} the limit ${limit}.`,
    remedy: `${remedy}. If that is as it should be, ${isLeast ? "lower" : "raise"} gates.${name}, or go on once with --override-gate ${name}.`,
  };
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}
