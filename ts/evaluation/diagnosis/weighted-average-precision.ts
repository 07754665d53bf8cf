/** AP of a sample of images, some of them several times, from the matches of each image once. */
import { EPSILON } from "../coco/accumulate.js";
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
  /** One list a threshold: the image of each detection that is not ignored, by descending score; ~image if it is wrong. */
  readonly judged: readonly Int32Array[];
}

export function compactMatches({ axes, categories, detections, groundTruth }: CocoMatches): CompactMatches {
  const classes = categories.map((_, k) => {
    const found = groundTruth.image.subarray(groundTruth.classStarts[k], groundTruth.classStarts[k + 1]);
    const ignored = groundTruth.ignored.subarray(groundTruth.classStarts[k]);
    const [start, end] = [detections.classStarts[k] as number, detections.classStarts[k + 1]];
    const images = detections.image.subarray(start, end);
    const judged = Array.from(axes.iouThresholds, (_, t) => {
      const outcomes = detections.outcome.subarray(t * detections.row.length + start);
      return images
        .map((image, place) => (outcomes[place] === TRUE_POSITIVE ? image : ~image))
        .filter((_, place) => outcomes[place] !== IGNORED);
    });
    return { positives: found.filter((_, row) => ignored[row] === 0), judged };
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
  for (const { positives, judged } of classes) {
    const count = positives.reduce((total, image) => total + (weights[image] as number), 0);
    if (count === 0) continue;
    for (const detections of judged) sum += sampledPrecision(detections, count, recallThresholds, weights);
    curves += judged.length;
  }
  return curves === 0 ? -1 : sum / (curves * recallThresholds.length);
}

/** The sum over the recall thresholds of the highest precision at that recall or above. */
function sampledPrecision(
  detections: Int32Array,
  positives: number,
  recallThresholds: Float64Array,
  weights: Int32Array,
): number {
  let right = 0;
  let wrong = 0;
  for (const image of detections) {
    if (image >= 0) right += weights[image] as number;
    else wrong += weights[~image] as number;
  }
  let r = recallThresholds.length - 1;
  while (r >= 0 && right / positives < (recallThresholds[r] as number)) r--;
  let sum = 0;
  let highest = 0;
  // From the last detection to the first, so that the highest precision from there on is known.
  for (let place = detections.length - 1; place >= 0 && r >= 0; place--) {
    const image = detections[place] as number;
    if (image < 0) wrong -= weights[~image] as number;
    else {
      highest = Math.max(highest, right / (right + wrong + EPSILON));
      right -= weights[image] as number;
      for (; r >= 0 && right / positives < (recallThresholds[r] as number); r--) sum += highest;
    }
  }
  return sum + (r + 1) * highest;
}
