/** AP of a sample of images, some of them several times, from the matches of each image once. */
import { EPSILON, neededTruePositives } from "../coco/accumulate.js";
import type { CocoMatches } from "../coco/matches.js";
import { IGNORED, TRUE_POSITIVE } from "../coco/matching.js";

/** What the AP needs, class by class: once made, it serves for many samples. */
export interface CompactMatches {
  readonly recallThresholds: Float64Array;
  readonly classes: readonly CompactClass[];
}

interface CompactClass {
  /** Image of each ground truth to be found. */
  readonly positives: Int32Array;
  /** Image of each detection, by descending score. */
  readonly images: Int32Array;
  /** One an IoU threshold. */
  readonly judgements: readonly Judgement[];
}

/** Places in `CompactClass.images`, ascending. The others are wrong. */
interface Judgement {
  readonly right: Int32Array;
  readonly ignored: Int32Array;
}

export function compactMatches({ axes, categories, detections, groundTruth }: CocoMatches): CompactMatches {
  const classes = categories.map((_, k) => {
    const objects = groundTruth.image.subarray(groundTruth.classStarts[k], groundTruth.classStarts[k + 1]);
    const isIgnored = groundTruth.ignored.subarray(groundTruth.classStarts[k]);
    const start = detections.classStarts[k] as number;
    const images = detections.image.subarray(start, detections.classStarts[k + 1]);
    const judgements = Array.from(axes.iouThresholds, (_, t) => {
      const outcomes = detections.outcome.subarray(t * detections.row.length + start);
      const places = images.map((_, place) => place);
      const placesOf = (outcome: number) => places.filter((place) => outcomes[place] === outcome);
      return { right: placesOf(TRUE_POSITIVE), ignored: placesOf(IGNORED) };
    });
    return { positives: objects.filter((_, row) => isIgnored[row] === 0), images, judgements };
  });
  return { recallThresholds: axes.recallThresholds, classes };
}

/**
 * In [0, 1]; -1 without ground truth. Equal to the AP of a data set that has each image as often as `weights` says, except that
 * the copies of a detection stand together among those of equal score.
 *
 * @param weights how often each image counts.
 */
export function weightedAveragePrecision({ classes, recallThresholds }: CompactMatches, weights: Int32Array): number {
  let sum = 0;
  let curves = 0;
  for (const { positives, images, judgements } of classes) {
    const count = sumAt(positives, weights);
    if (count === 0) continue;
    const needed = neededTruePositives(recallThresholds, count);
    const copies = images.map((image) => weights[image] as number);
    const copiesUpTo = cumulative(copies);
    for (const judgement of judgements) sum += sampledPrecision(judgement, copies, copiesUpTo, needed);
    curves += judgements.length;
  }
  return curves === 0 ? -1 : sum / (curves * recallThresholds.length);
}

/** The sum over the recall thresholds of the highest precision at that recall or above. @param needed for each, ascending. */
function sampledPrecision(
  { right, ignored }: Judgement,
  copies: Int32Array,
  copiesUpTo: Int32Array,
  needed: Int32Array,
): number {
  let found = sumAt(right, copies);
  let left = sumAt(ignored, copies);
  let i = ignored.length - 1;
  let r = needed.length - 1;
  while (r >= 0 && (needed[r] as number) > found) r--;
  let sum = 0;
  let highest = 0;
  // From the last to the first, so that the highest precision from there on is known. It changes at right detections only.
  for (let n = right.length - 1; n >= 0 && r >= 0; n--) {
    const place = right[n] as number;
    for (; i >= 0 && (ignored[i] as number) > place; i--) left -= copies[ignored[i] as number] as number;
    highest = Math.max(highest, found / ((copiesUpTo[place] as number) - left + EPSILON));
    found -= copies[place] as number;
    for (; r >= 0 && (needed[r] as number) > found; r--) sum += highest;
  }
  return sum + (r + 1) * highest;
}

function sumAt(places: Int32Array, values: Int32Array): number {
  let sum = 0;
  for (const place of places) sum += values[place] as number;
  return sum;
}

/** Sums of the values up to each and with it. */
function cumulative(values: Int32Array): Int32Array {
  let sum = 0;
  return values.map((value) => (sum += value));
}
