/** AP as PASCAL VOC defines it: Everingham et al., IJCV 2010, section 4.2, and the development kits of 2007 and 2010. */
import type { CocoMatches } from "../coco/matches.js";
import { bestOverlap } from "./across-classes.js";
import { countPositives } from "./matched.js";

/** The mean of 11 samples of the curve (VOC 2007 to 2009), or the area under it (from 2010). */
export type VocMethod = "11-point" | "every-point";

export interface VocAp {
  /** Mean over the classes with ground truth, in [0, 1]; -1 without any. */
  readonly ap: number;
  /** -1 for a class without ground truth. */
  readonly perClass: readonly { readonly categoryId: number; readonly name: string; readonly ap: number }[];
}

export interface VocOptions {
  /** IoU from which a detection is right, above 0. @default 0.5 */
  readonly iou?: number;
  /** @default "every-point" */
  readonly method?: VocMethod;
}

/**
 * Unlike in COCO, a detection stands for the object of its class that it overlaps most, even if that is taken and another one
 * is free. Ignored ground truth is treated as "difficult": what overlaps it most is neither right nor wrong.
 */
export function vocAveragePrecision(matches: CocoMatches, options: VocOptions = {}): VocAp {
  const { iou = 0.5, method = "every-point" } = options;
  const positives = countPositives(matches);
  const perClass = matches.categories.map(({ id, name }, k) => {
    const count = positives[k] as number;
    const precision = highestPrecisions(rightAndWrong(matches, k, iou));
    return { categoryId: id, name, ap: count === 0 ? -1 : area(precision, count, method) };
  });
  const known = perClass.filter(({ ap }) => ap >= 0);
  return { ap: known.length === 0 ? -1 : known.reduce((sum, { ap }) => sum + ap, 0) / known.length, perClass };
}

/** Of the detections of class k that are not ignored, by descending score. */
function rightAndWrong(matches: CocoMatches, k: number, iou: number): boolean[] {
  const { detections, groundTruth } = matches;
  const isTaken = new Uint8Array(groundTruth.row.length);
  const counted: boolean[] = [];
  for (let d = detections.classStarts[k] as number; d < (detections.classStarts[k + 1] as number); d++) {
    const best = bestOverlap(matches, d, (row) => groundTruth.category[row] === k);
    const isNear = best.iou >= iou;
    if (isNear && groundTruth.ignored[best.groundTruth] === 1) continue;
    counted.push(isNear && isTaken[best.groundTruth] === 0);
    if (isNear) isTaken[best.groundTruth] = 1;
  }
  return counted;
}

/** The highest precision at n right detections or more, for each n from 1. */
function highestPrecisions(counted: readonly boolean[]): number[] {
  const precisions: number[] = [];
  counted.forEach((isRight, place) => {
    if (isRight) precisions.push((precisions.length + 1) / (place + 1));
  });
  for (let n = precisions.length - 1; n > 0; n--) {
    precisions[n - 1] = Math.max(precisions[n - 1] as number, precisions[n] as number);
  }
  return precisions;
}

function area(precisions: readonly number[], positives: number, method: VocMethod): number {
  if (method === "every-point") return precisions.reduce((sum, precision) => sum + precision, 0) / positives;
  const samples = Array.from({ length: 11 }, (_, tenth) => {
    const needed = Math.max(Math.ceil((tenth * positives) / 10), 1);
    return precisions[needed - 1] ?? 0;
  });
  return samples.reduce((sum, precision) => sum + precision, 0) / 11;
}
