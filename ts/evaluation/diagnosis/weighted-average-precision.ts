/** AP of a sample of images, some of them several times, from the matches of each image once. */
import { neededTruePositives } from "../coco/accumulate.js";
import type { CocoMatches } from "../coco/matches.js";
import { copies, type Judgement, judge, samplePrecision } from "./curves.js";
import { outcomesAt } from "./matched.js";

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

export function compactMatches(matches: CocoMatches): CompactMatches {
  const { axes, categories, detections, groundTruth } = matches;
  const classes = categories.map((_, k) => {
    const objects = groundTruth.image.subarray(groundTruth.classStarts[k], groundTruth.classStarts[k + 1]);
    const isIgnored = groundTruth.ignored.subarray(groundTruth.classStarts[k]);
    const [start, end] = [detections.classStarts[k], detections.classStarts[k + 1]];
    return {
      positives: objects.filter((_, row) => isIgnored[row] === 0),
      images: detections.image.subarray(start, end),
      judgements: Array.from(axes.iouThresholds, (_, t) => judge(outcomesAt(matches, t).subarray(start, end))),
    };
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
  const samples = new Float64Array(recallThresholds.length);
  let sum = 0;
  let count = 0;
  for (const { positives, images, judgements } of classes) {
    let objects = 0;
    for (const image of positives) objects += weights[image] as number;
    if (objects === 0) continue;
    const needed = neededTruePositives(recallThresholds, objects);
    const drawn = copies(images.map((image) => weights[image] as number));
    for (const judgement of judgements) {
      samplePrecision(judgement, drawn, needed, samples);
      for (const precision of samples) sum += precision;
    }
    count += judgements.length * samples.length;
  }
  return count === 0 ? -1 : sum / count;
}
