/** The score from which predictions become pseudo labels, chosen on images that the pseudo-labeler has not trained on. */
import { drawImages, quantile } from "../core/bootstrap.js";
import { CasslError } from "../core/errors.js";
import { seededRandom } from "../core/random.js";
import {
  countObjects,
  fBeta,
  type JudgedDetections,
  pointAt,
  scanThresholds,
  type ThresholdPoint,
  thinPoints,
  thresholdPoints,
} from "./threshold-curve.js";

export type ThresholdPolicy =
  /** This score. */
  | { readonly policy: "fixed"; readonly score: number }
  /** Where F-beta is highest; beta > 1 values recall higher, beta < 1 precision. */
  | { readonly policy: "auto"; readonly beta: number }
  /** Where there are nearest to `ratio` times as many boxes as objects. */
  | { readonly policy: "boxes_per_image"; readonly ratio: number }
  /** The lowest score with this precision; if none has it, the one of the highest. */
  | { readonly policy: "precision"; readonly precision: number };

/** As stored in result.json. Values are those on the held-out images. */
export interface ThresholdChoice {
  readonly policy: ThresholdPolicy;
  readonly score_threshold: number;
  /** Held-out images, and objects to be found in them. */
  readonly images: number;
  readonly objects: number;
  /** What the threshold gives. */
  readonly precision: number;
  readonly recall: number;
  readonly f_beta: number;
  readonly boxes_per_image: number;
  /** Of `f_beta`: that of the policy, else 1. */
  readonly beta: number;
  readonly interval: ThresholdInterval;
  /** By descending score, at most 200 points. */
  readonly curve: readonly ThresholdPoint[];
  /** What speaks against trusting it. */
  readonly warnings: readonly string[];
}

/** Percentile intervals of the bootstrap over images; each is [lower, upper]. */
export interface ThresholdInterval {
  readonly confidence: number;
  readonly resamples: number;
  /** Of what the policy chooses. */
  readonly score_threshold: Range;
  /** Of what the chosen threshold gives. */
  readonly precision: Range;
  readonly recall: Range;
}

export type Range = readonly [lower: number, upper: number];

const RESAMPLES = 1000;
const CONFIDENCE = 0.95;
const CURVE_POINTS = 200;
/** Below these an interval over images says more of luck than of the model. */
const FEW_IMAGES = 5;
const FEW_OBJECTS = 30;

/**
 * The threshold of the policy, with a percentile bootstrap over images (Efron and Tibshirani, An Introduction to the Bootstrap,
 * 1993, chapter 13): as many images as there are are drawn with replacement, 1000 times, and the policy chooses anew.
 * Of several equally good thresholds the highest is taken. Without detections it is 1.
 * DATASET_EMPTY if there is no image, or no object where the policy asks for some.
 */
export function chooseThreshold(judged: JudgedDetections, policy: ThresholdPolicy, seed: number): ThresholdChoice {
  const images = judged.objectsPerImage.length;
  const objects = countObjects(judged);
  if (images === 0 || (objects === 0 && policy.policy !== "fixed")) throw nothingHeldOut(policy, images);
  const beta = policy.policy === "auto" ? policy.beta : 1;
  const points = thresholdPoints(judged, beta);
  const score_threshold = scoreOf(judged, policy);
  const { precision, recall, f_beta, kept } = pointAt(points, score_threshold, { objects, beta });
  return {
    policy,
    score_threshold,
    images,
    objects,
    precision,
    recall,
    f_beta,
    boxes_per_image: kept / images,
    beta,
    interval: bootstrap(judged, policy, { score_threshold, seed }),
    curve: thinPoints(points, CURVE_POINTS),
    warnings: warningsOf(images, objects, policy, precision),
  };
}

/**
 * What the policy chooses: midway from the best score to the next lower one, between which the images tell no difference.
 * @param weights how often each image counts.
 */
function scoreOf(judged: JudgedDetections, policy: ThresholdPolicy, weights?: Int32Array): number {
  if (policy.policy === "fixed") return policy.score;
  const worth = worthOf(policy, countObjects(judged, weights));
  let [best, below, highest] = [1, 1, Number.NEGATIVE_INFINITY];
  scanThresholds(judged, weights, (score, kept, found) => {
    const value = worth(kept, found);
    if (below === best) below = score;
    if (value <= highest) return;
    best = score;
    below = score;
    highest = value;
  });
  return (best + below) / 2;
}

/** What the policy makes the most of. */
function worthOf(
  policy: Exclude<ThresholdPolicy, { policy: "fixed" }>,
  objects: number,
): (kept: number, found: number) => number {
  switch (policy.policy) {
    case "auto":
      return (kept, found) => fBeta(kept, found, objects, policy.beta);
    case "boxes_per_image":
      return (kept) => -Math.abs(kept - policy.ratio * objects);
    case "precision":
      // With the precision, the more the better; what is short of it counts less than anything that has it.
      return (kept, found) => (found / kept >= policy.precision ? 1 + kept : found / kept);
  }
}

interface Chosen {
  readonly score_threshold: number;
  readonly seed: number;
}

function bootstrap(
  judged: JudgedDetections,
  policy: ThresholdPolicy,
  { score_threshold, seed }: Chosen,
): ThresholdInterval {
  const random = seededRandom(seed);
  const samples = Array.from({ length: RESAMPLES }, () => {
    const weights = drawImages(judged.objectsPerImage.length, random);
    const objects = countObjects(judged, weights);
    let [keptAt, foundAt] = [0, 0];
    scanThresholds(judged, weights, (score, kept, found) => {
      if (score >= score_threshold) [keptAt, foundAt] = [kept, found];
    });
    return {
      score: scoreOf(judged, policy, weights),
      precision: keptAt === 0 ? 1 : foundAt / keptAt,
      recall: objects === 0 ? 0 : foundAt / objects,
    };
  });
  return {
    confidence: CONFIDENCE,
    resamples: RESAMPLES,
    score_threshold: percentiles(samples.map(({ score }) => score)),
    precision: percentiles(samples.map(({ precision }) => precision)),
    recall: percentiles(samples.map(({ recall }) => recall)),
  };
}

function percentiles(values: readonly number[]): Range {
  const ascending = Float64Array.from(values).sort();
  return [quantile(ascending, (1 - CONFIDENCE) / 2), quantile(ascending, (1 + CONFIDENCE) / 2)];
}

function warningsOf(images: number, objects: number, policy: ThresholdPolicy, precision: number): string[] {
  const few = images < FEW_IMAGES || objects < FEW_OBJECTS;
  const missed = policy.policy === "precision" && precision < policy.precision;
  return [
    ...(few ? [`${objects} objects in ${images} held-out images are few: see the interval of the threshold.`] : []),
    ...(missed ? [`No threshold has the precision ${policy.precision}; the highest is ${precision.toFixed(2)}.`] : []),
  ];
}

function nothingHeldOut({ policy }: ThresholdPolicy, images: number): CasslError {
  return new CasslError(
    "DATASET_EMPTY",
    `The score threshold \`${policy}\` is chosen on held-out objects, and there are none in ${images} held-out images.`,
    "Raise stages.pseudo_label.held_out, label more images, or set stages.pseudo_label.select.score_threshold to a number.",
  );
}
