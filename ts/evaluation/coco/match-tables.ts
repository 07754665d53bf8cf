/** What was evaluated, as tables in which matches are noted. */
import type { ByImage } from "./grouping.js";
import type { Evidence } from "./matching.js";
import type { AreaRange, Axes } from "./options.js";
import { pick, sortByKey, sortByScore, startsOf } from "./sorting.js";

/** One row an annotation, class by class. */
export interface MatchedAnnotations {
  /** Position in the list that was evaluated. */
  readonly row: Int32Array;
  /** Into `CocoMatches.imageIds`. */
  readonly image: Int32Array;
  /** Into `CocoMatches.categories`. */
  readonly category: Int32Array;
  /** (K + 1,). The rows of class k are those from entry k to entry k + 1. */
  readonly classStarts: Int32Array;
  /** Square px. */
  readonly area: Float64Array;
  /** (rows, 4), absolute px; NaN where an annotation with a mask has no box. */
  readonly boxXywh: Float64Array;
}

/** (D,) each, by descending score within a class: the order in which they enter the AP. */
export interface MatchedDetections extends MatchedAnnotations {
  readonly score: Float64Array;
  /** 0 for the best of its image and class. */
  readonly rankInImage: Int32Array;
  /** (T, D). IGNORED (0), TRUE_POSITIVE (1) or FALSE_POSITIVE (2). */
  readonly outcome: Uint8Array;
  /** (T, D). The row of `groundTruth` that it took, or -1. */
  readonly groundTruth: Int32Array;
  /** (T, D). IoU with it, or 0. */
  readonly iou: Float64Array;
}

/** (G,) each. */
export interface MatchedGroundTruth extends MatchedAnnotations {
  readonly id: Float64Array;
  /** 1: need not be found, being a crowd or of an area outside the range "all". */
  readonly ignored: Uint8Array;
  /** (T, G). The row of `detections` that took it, the last one of a crowd; -1: not found. */
  readonly detection: Int32Array;
}

export const IGNORED = 0;
export const TRUE_POSITIVE = 1;
export const FALSE_POSITIVE = 2;

/** Before matching. @param boxXywh of all results. @param range the areas that count. */
export function detectionTable(
  dt: ByImage,
  boxXywh: Float64Array,
  evidence: Evidence,
  axes: Axes,
  range: AreaRange,
): MatchedDetections {
  const { dtScore, dtArea, dtUnverified } = evidence;
  const classCount = axes.categoryIds.length;
  const limit = axes.maxDets.at(-1) as number;
  const bestFirst = sortByKey(sortByScore(dt.rows, dtScore), dt.images, dt.starts.length - 1);
  const ranks = ranksInImages(bestFirst, dt, classCount);
  const best = bestFirst.filter((row) => (ranks[row] as number) < limit);
  // Equal scores stay in the order of their images, then of their ranks there.
  const rows = sortByKey(sortByScore(best, dtScore), dt.classes, classCount);
  const thresholds = axes.iouThresholds.length;
  const outcome = new Uint8Array(thresholds * rows.length).fill(FALSE_POSITIVE);
  rows.forEach((row, d) => {
    if (!isOutside(dtArea[row] as number, range) && dtUnverified?.[row] !== 1) return;
    for (let at = d; at < outcome.length; at += rows.length) outcome[at] = IGNORED;
  });
  return {
    ...annotationTable(rows, dt, dtArea, boxXywh, classCount),
    score: Float64Array.from(rows, (row) => dtScore[row] as number),
    rankInImage: pick(ranks, rows),
    outcome,
    groundTruth: new Int32Array(outcome.length).fill(-1),
    iou: new Float64Array(outcome.length),
  };
}

/** Before matching. @param boxXywh of all ground truth. @param range the areas that count. */
export function groundTruthTable(
  gt: ByImage,
  boxXywh: Float64Array,
  { gt: { id, area, iscrowd } }: Evidence,
  axes: Axes,
  range: AreaRange,
): MatchedGroundTruth {
  const rows = sortByKey(gt.rows, gt.classes, axes.categoryIds.length);
  return {
    ...annotationTable(rows, gt, area, boxXywh, axes.categoryIds.length),
    id: Float64Array.from(rows, (row) => id[row] as number),
    ignored: Uint8Array.from(rows, (row) => +(iscrowd[row] === 1 || isOutside(area[row] as number, range))),
    detection: new Int32Array(axes.iouThresholds.length * rows.length).fill(-1),
  };
}

function annotationTable(
  row: Int32Array,
  all: ByImage,
  area: Float64Array,
  boxes: Float64Array,
  classCount: number,
): MatchedAnnotations {
  const boxXywh = new Float64Array(4 * row.length);
  row.forEach((r, i) => {
    boxXywh.set(boxes.subarray(4 * r, 4 * r + 4), 4 * i);
  });
  return {
    row,
    image: pick(all.images, row),
    category: pick(all.classes, row),
    classStarts: startsOf(row, all.classes, classCount),
    area: Float64Array.from(row, (r) => area[r] as number),
    boxXywh,
  };
}

/** How many of its image and class come before each, by row. @param bestFirst the rows, image by image. */
function ranksInImages(bestFirst: Int32Array, { starts, classes }: ByImage, classCount: number): Int32Array {
  const ranks = new Int32Array(classes.length);
  const counts = new Int32Array(classCount);
  for (let image = 0; image + 1 < starts.length; image++) {
    counts.fill(0);
    for (const row of bestFirst.subarray(starts[image], starts[image + 1])) {
      const k = classes[row] as number;
      const rank = counts[k] as number;
      ranks[row] = rank;
      counts[k] = rank + 1;
    }
  }
  return ranks;
}

function isOutside(area: number, { min, max }: AreaRange): boolean {
  return area < min || area > max;
}
