/** Which detections are right: pycocotools' greedy matching, for one class at every area range and IoU threshold. */
import { boxIous } from "./box-iou.js";
import type { DetectionColumns, GroundTruthColumns } from "./columns.js";
import type { Grouped, GroupedDetections } from "./grouping.js";
import type { AreaRange, Axes } from "./options.js";

/** What became of a detection. An ignored one is neither right nor wrong. */
export const IGNORED = 0;
export const TRUE_POSITIVE = 1;
export const FALSE_POSITIVE = 2;

/** The D detections of one class by descending score, and their outcomes. */
export interface ClassMatches {
  /** (D,). */
  readonly scores: Float64Array;
  /** (D,). 0 for the best detection of its image. */
  readonly rankInImage: Int32Array;
  /** (A, T, D). */
  readonly outcomes: Uint8Array;
  /** (A,). Ground-truth boxes to be found. */
  readonly positives: Int32Array;
}

export interface Annotations {
  readonly gt: GroundTruthColumns;
  readonly dt: DetectionColumns;
  readonly gtGroups: Grouped;
  readonly dtGroups: GroupedDetections;
}

/** @param k class, into `Axes.categoryIds`. */
export function matchClass(annotations: Annotations, k: number, axes: Axes): ClassMatches {
  const { dt, dtGroups } = annotations;
  const start = dtGroups.classStarts[k] as number;
  const end = dtGroups.classStarts[k + 1] as number;
  const matches: ClassMatches = {
    scores: new Float64Array(end - start),
    rankInImage: new Int32Array(end - start),
    outcomes: new Uint8Array(axes.areaRanges.length * axes.iouThresholds.length * (end - start)),
    positives: new Int32Array(axes.areaRanges.length),
  };
  for (let position = start; position < end; position++) {
    const place = dtGroups.placeInClass[position] as number;
    matches.scores[place] = dt.score[dtGroups.rows[position] as number] as number;
    matches.rankInImage[place] = dtGroups.rankInImage[position] as number;
  }
  for (const group of groupsOf(annotations, k)) matchGroup(group, axes, matches);
  return matches;
}

/** One image of one class: D detections, best first, and G ground-truth boxes. */
interface Group {
  /** (D,). Into `ClassMatches`. */
  readonly places: Int32Array;
  /** (D,). */
  readonly dtArea: Float64Array;
  /** (G,). Rows of `gt`. */
  readonly gtRows: Int32Array;
  readonly gt: GroundTruthColumns;
  /** (D, G). */
  readonly ious: Float64Array;
  /** (D,). The best of each detection. */
  readonly bestIou: Float64Array;
}

/** The images of a class that have ground truth or detections. */
function* groupsOf(annotations: Annotations, k: number): Generator<Group> {
  const { gtGroups, dtGroups } = annotations;
  const gtEnd = gtGroups.classStarts[k + 1] as number;
  const dtEnd = dtGroups.classStarts[k + 1] as number;
  let g = gtGroups.classStarts[k] as number;
  let d = dtGroups.classStarts[k] as number;
  while (g < gtEnd || d < dtEnd) {
    const gtImage = g < gtEnd ? (gtGroups.image[g] as number) : Infinity;
    const dtImage = d < dtEnd ? (dtGroups.image[d] as number) : Infinity;
    const image = Math.min(gtImage, dtImage);
    const gtStart = g;
    const dtStart = d;
    while (g < gtEnd && gtGroups.image[g] === image) g++;
    while (d < dtEnd && dtGroups.image[d] === image) d++;
    yield groupAt(annotations, gtStart, g, dtStart, d);
  }
}

function groupAt(annotations: Annotations, gtStart: number, gtEnd: number, dtStart: number, dtEnd: number): Group {
  const { gt, dt, gtGroups, dtGroups } = annotations;
  const gtRows = gtGroups.rows.subarray(gtStart, gtEnd);
  const dtRows = dtGroups.rows.subarray(dtStart, dtEnd);
  const ious = boxIous(dt, dtRows, gt, gtRows);
  const dtArea = new Float64Array(dtRows.length);
  const bestIou = new Float64Array(dtRows.length);
  for (let d = 0; d < dtRows.length; d++) {
    dtArea[d] = dt.area[dtRows[d] as number] as number;
    for (let g = 0; g < gtRows.length; g++) {
      bestIou[d] = Math.max(bestIou[d] as number, ious[d * gtRows.length + g] as number);
    }
  }
  return { places: dtGroups.placeInClass.subarray(dtStart, dtEnd), dtArea, gtRows, gt, ious, bestIou };
}

function matchGroup(group: Group, { areaRanges, iouThresholds }: Axes, { outcomes, positives, scores }: ClassMatches): void {
  areaRanges.forEach((range, a) => {
    const ranged = inRange(group, range);
    positives[a] = (positives[a] as number) + ranged.unignored;
    for (let t = 0; t < iouThresholds.length; t++) {
      const offset = (a * iouThresholds.length + t) * scores.length;
      matchAtThreshold(group, ranged, iouThresholds[t] as number, outcomes, offset);
    }
  });
}

/** A group as one area range sees it. */
interface Ranged {
  /** (G,). Columns of `Group.ious`: first what is to be found, then what is ignored, else in the order of the file. */
  readonly order: Int32Array;
  /** How many are to be found. */
  readonly unignored: number;
  /** (D,). 1: to be ignored if unmatched. */
  readonly isOutside: Uint8Array;
}

function inRange({ gt, gtRows, dtArea }: Group, { min, max }: AreaRange): Ranged {
  const outside = (area: number) => area < min || area > max;
  const order = new Int32Array(gtRows.length);
  let unignored = 0;
  let ignored = gtRows.length;
  gtRows.forEach((row, g) => {
    if (gt.iscrowd[row] === 1 || outside(gt.area[row] as number)) order[--ignored] = g;
    else order[unignored++] = g;
  });
  order.subarray(unignored).reverse();
  return { order, unignored, isOutside: Uint8Array.from(dtArea, (area) => (outside(area) ? 1 : 0)) };
}

/**
 * Each detection, best first, takes the free box of the highest IoU, the later of equals; an ignored box only if no other will do.
 * Crowds take any number. Writes the outcomes from `offset` on.
 */
function matchAtThreshold(group: Group, ranged: Ranged, threshold: number, outcomes: Uint8Array, offset: number): void {
  const { gt, gtRows, ious, bestIou, places } = group;
  const { order, unignored, isOutside } = ranged;
  const taken = new Uint8Array(order.length);
  for (let d = 0; d < places.length; d++) {
    let best = Math.min(threshold, 1 - 1e-10);
    let match = -1;
    const candidates = (bestIou[d] as number) < best ? 0 : order.length;
    for (let i = 0; i < candidates; i++) {
      if (i === unignored && match >= 0) break;
      const g = order[i] as number;
      const iou = ious[d * order.length + g] as number;
      if (taken[g] === 1 || iou < best) continue;
      best = iou;
      match = i;
    }
    let outcome = isOutside[d] === 1 ? IGNORED : FALSE_POSITIVE;
    if (match >= 0) {
      const g = order[match] as number;
      const row = gtRows[g] as number;
      taken[g] = gt.iscrowd[row] === 1 ? 0 : 1;
      if (match >= unignored) outcome = IGNORED;
      // pycocotools notes a match as the id of the box, so that the id 0 reads as no match.
      else if (gt.id[row] !== 0) outcome = TRUE_POSITIVE;
    }
    outcomes[offset + (places[d] as number)] = outcome;
  }
}
