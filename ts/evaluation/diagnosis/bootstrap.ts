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

/** The AP of one model, and what it might have been with other images. */
export interface ResampledAp {
  /** In [0, 1] over all thresholds of the evaluation; -1 without ground truth. */
  readonly ap: number;
  /** The same on each sample of images. */
  readonly samples: Float64Array;
}

/** The difference of two ways to make a model, each tried with several seeds. */
export interface PairedDifference {
  /** First less second, the mean over the pairs. */
  readonly difference: number;
  /** Of each pair, in their order. */
  readonly perPair: readonly number[];
  /** Percentile interval of the difference. */
  readonly lower: number;
  readonly upper: number;
  /** Share of the samples in which the first is better, in [0, 1]. */
  readonly firstBetter: number;
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
  const chosen = { ...DEFAULTS, ...options };
  checkComparable(first, second);
  const [one, other] = [resampleAp(first, chosen), resampleAp(second, chosen)];
  const { perPair: _, ...difference } = pairedDifference([one], [other], chosen);
  return { firstAp: one.ap, secondAp: other.ap, ...difference, ...chosen };
}

/** One seed draws the same images for every model that was evaluated on them. CONFIG_INVALID for a meaningless option. */
export function resampleAp(
  matches: CocoMatches,
  options: Pick<BootstrapOptions, "resamples" | "seed"> = {},
): ResampledAp {
  const { resamples, seed, ...rest } = { ...DEFAULTS, ...options };
  checkOptions({ resamples, seed, ...rest });
  const compact = compactMatches(matches);
  const random = seededRandom(seed);
  const draw = (): number => weightedAveragePrecision(compact, drawImages(matches.imageIds.length, random));
  return { ap: averagePrecision(matches), samples: Float64Array.from({ length: resamples }, draw) };
}

/**
 * Pairs of models, such as two arms at each seed, that were all resampled with the same options. Each sample of images meets as
 * many pairs as there are, drawn with replacement, so that the interval holds the luck with images and that with seeds. Few
 * seeds say little about other seeds: the interval of two or three is rather too narrow (chapter 5.3 of the book).
 *
 * CONFIG_INVALID for no pairs, a model without its partner, or numbers of samples that differ.
 */
export function pairedDifference(
  first: readonly ResampledAp[],
  second: readonly ResampledAp[],
  options: Pick<BootstrapOptions, "seed" | "confidence"> = {},
): PairedDifference {
  const { seed, confidence } = { ...DEFAULTS, ...options };
  const resamples = first[0]?.samples.length ?? 0;
  checkOptions({ resamples, seed, confidence });
  checkPairs([...first, ...second], resamples, first.length === second.length);
  const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
  const random = seededRandom(seed);
  const differences = Float64Array.from({ length: resamples }, (_, sample) => {
    const drawn = first.map(() => Math.floor(random() * first.length));
    return mean(drawn.map((pair) => at(first[pair], sample) - at(second[pair], sample)));
  }).sort();
  const perPair = first.map(({ ap }, pair) => ap - (second[pair] as ResampledAp).ap);
  return {
    difference: mean(perPair),
    perPair,
    lower: quantile(differences, (1 - confidence) / 2),
    upper: quantile(differences, (1 + confidence) / 2),
    firstBetter: differences.filter((difference) => difference > 0).length / resamples,
  };
}

function at(model: ResampledAp | undefined, sample: number): number {
  return model?.samples[sample] as number;
}

function checkPairs(models: readonly ResampledAp[], resamples: number, isPaired: boolean): void {
  if (isPaired && models.every(({ samples }) => samples.length === resamples)) return;
  const counts = models.map(({ samples }) => samples.length).join(", ");
  throw new CasslError(
    "CONFIG_INVALID",
    `${models.length} models, resampled ${counts} times, are no pairs.`,
    "Give as many second models as first ones, all resampled with the same options.",
  );
}

const DEFAULTS: Required<BootstrapOptions> = { resamples: 1000, seed: 0, confidence: 0.95 };

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
