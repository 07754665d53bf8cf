/**
 * Whether one model is better than another, or only luckier with the images: the paired bootstrap of Efron and Tibshirani,
 * An Introduction to the Bootstrap, 1993, chapters 13 and 16.
 */
import { drawImages, quantile } from "../../core/bootstrap.js";
import { CasslError } from "../../core/errors.js";
import { seededRandom } from "../../core/random.js";
import type { CocoMatches } from "../coco/matches.js";
import { averagePrecision } from "./average-precision.js";
import { compactMatches, weightedAveragePrecision } from "./weighted-average-precision.js";

export interface BootstrapOptions {
  /** How many samples of images to draw. @default 1000 */
  readonly resamples?: number;
  /** 32 bits. @default 0 */
  readonly seed?: number;
  /** Share of the differences that the interval holds, in (0, 1). @default 0.95 */
  readonly confidence?: number;
}

export interface ModelComparison {
  /** AP in [0, 1] over all thresholds of the evaluations; -1 without ground truth, and then all differences are 0. */
  readonly firstAp: number;
  readonly secondAp: number;
  /** First less second. */
  readonly difference: number;
  /** Percentile interval of the difference. */
  readonly lower: number;
  readonly upper: number;
  /** Share of the samples in which the first is better, in [0, 1]. */
  readonly firstBetter: number;
  readonly resamples: number;
  readonly seed: number;
  readonly confidence: number;
}

/**
 * Draws as many images as there are, with replacement, and computes both APs on them from the matches that there are: an image
 * drawn n times counts n times. A class that has no ground truth in a sample leaves both means. The interval is the percentile
 * interval: of the sorted differences, what is left after cutting off the same share at both ends.
 *
 * CONFIG_INVALID if the models were not evaluated on the same images, classes and thresholds, or for a meaningless option.
 */
export function compareModels(
  first: CocoMatches,
  second: CocoMatches,
  options: BootstrapOptions = {},
): ModelComparison {
  const chosen = { resamples: 1000, seed: 0, confidence: 0.95, ...options };
  checkOptions(chosen);
  checkComparable(first, second);
  const [firstAp, secondAp] = [averagePrecision(first), averagePrecision(second)];
  const [one, other] = [compactMatches(first), compactMatches(second)];
  const random = seededRandom(chosen.seed);
  const differences = Float64Array.from({ length: chosen.resamples }, () => {
    const weights = drawImages(first.imageIds.length, random);
    return weightedAveragePrecision(one, weights) - weightedAveragePrecision(other, weights);
  }).sort();
  return {
    firstAp,
    secondAp,
    difference: firstAp - secondAp,
    lower: quantile(differences, (1 - chosen.confidence) / 2),
    upper: quantile(differences, (1 + chosen.confidence) / 2),
    firstBetter: differences.filter((difference) => difference > 0).length / chosen.resamples,
    ...chosen,
  };
}

function checkOptions({ resamples, confidence }: Required<BootstrapOptions>): void {
  if (!Number.isInteger(resamples) || resamples < 1) {
    throw new CasslError("CONFIG_INVALID", `resamples is ${resamples}.`, "Give a whole number from 1.");
  }
  if (!(confidence > 0 && confidence < 1)) {
    throw new CasslError(
      "CONFIG_INVALID",
      `confidence is ${confidence}.`,
      "Give a share between 0 and 1, such as 0.95.",
    );
  }
}

function checkComparable(first: CocoMatches, second: CocoMatches): void {
  const compared: [string, (matches: CocoMatches) => ArrayLike<number>][] = [
    ["images", (matches) => matches.imageIds],
    ["classes", (matches) => matches.axes.categoryIds],
    ["IoU thresholds", (matches) => matches.axes.iouThresholds],
    ["ground truth", (matches) => matches.groundTruth.id],
  ];
  for (const [what, valuesOf] of compared) {
    const [one, other] = [valuesOf(first), valuesOf(second)];
    if (one.length === other.length && Array.from(one).every((value, i) => value === other[i])) continue;
    const message = `The models were evaluated on different ${what}: ${one.length} and ${other.length} of them, or others.`;
    throw new CasslError("CONFIG_INVALID", message, "Evaluate both with the same ground truth and options.");
  }
}
