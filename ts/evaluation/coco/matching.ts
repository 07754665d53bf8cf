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

/**
 * Told of each detection that takes ground truth: where its outcome is in `ClassMatches.outcomes`, which entry of
 * `Annotations.gtGroups.rows` it took, and their IoU.
 */
export type OnMatch = (outcome: number, gtPosition: number, iou: number) => void;

export interface Annotations {
  readonly gt: GroundTruthColumns;
  readonly dt: DetectionColumns;
  readonly gtGroups: Grouped;
  readonly dtGroups: GroupedDetections;
}

/** @param k class, into `Axes.categoryIds`. */
export function matchClass(annotations: Annotations, k: number, axes: Axes, onMatch?: OnMatch): ClassMatches {
  const { dt, dtGroups } = annotations;
  const start = dtGroups.classStarts[k] as number;
  const end = dtGroups.classStarts[k + 1] as number;
  const scores = new Float64Array(end - start);
  const rankInImage = new Int32Array(end - start);
  const areas = new Float64Array(end - start);
  for (let position = start; position < end; position++) {
    const place = dtGroups.placeInClass[position] as number;
    const row = dtGroups.rows[position] as number;
    scores[place] = dt.score[row] as number;
    rankInImage[place] = dtGroups.rankInImage[position] as number;
    areas[place] = dt.area[row] as number;
  }
  const outcomes = unmatchedOutcomes(areas, axes);
  const matches = { scores, rankInImage, outcomes, positives: new Int32Array(axes.areaRanges.length) };
  for (const group of groupsOf(annotations, k)) matchGroup(group, axes, matches, onMatch);
  return matches;
}

/** (A, T, D). What becomes of detections without a match: wrong, or ignored if they are not in the area range. */
function unmatchedOutcomes(areas: Float64Array, { areaRanges, iouThresholds }: Axes): Uint8Array {
  const outcomes = new Uint8Array(areaRanges.length * iouThresholds.length * areas.length);
  areaRanges.forEach((range, a) => {
    const row = Uint8Array.from(areas, (area) => (isOutside(area, range) ? IGNORED : FALSE_POSITIVE));
    for (let t = 0; t < iouThresholds.length; t++) outcomes.set(row, (a * iouThresholds.length + t) * areas.length);
  });
  return outcomes;
}

function isOutside(area: number, { min, max }: AreaRange): boolean {
  return area < min || area > max;
}

/** One image of one class: D detections, best first, and G ground-truth boxes. */
interface Group {
  /** (D,). Into `ClassMatches`. */
  readonly places: Int32Array;
  /** (G,). Rows of `gt`. */
  readonly gtRows: Int32Array;
  /** Where they start in `Annotations.gtGroups.rows`. */
  readonly gtStart: number;
  readonly gt: GroundTruthColumns;
  /** (D, G). */
  readonly ious: Float64Array;
  /** (D,). The best of each detection. */
  readonly bestIou: Float64Array;
}

/** The images of a class that have ground truth: elsewhere nothing can match. */
function* groupsOf(annotations: Annotations, k: number): Generator<Group> {
  const { gtGroups, dtGroups } = annotations;
  const gtEnd = gtGroups.classStarts[k + 1] as number;
  const dtEnd = dtGroups.classStarts[k + 1] as number;
  let g = gtGroups.classStarts[k] as number;
  let d = dtGroups.classStarts[k] as number;
  while (g < gtEnd) {
    const image = gtGroups.image[g] as number;
    const gtStart = g;
    while (g < gtEnd && gtGroups.image[g] === image) g++;
    while (d < dtEnd && (dtGroups.image[d] as number) < image) d++;
    const dtStart = d;
    while (d < dtEnd && dtGroups.image[d] === image) d++;
    yield groupAt(annotations, gtStart, g, dtStart, d);
  }
}

function groupAt(annotations: Annotations, gtStart: number, gtEnd: number, dtStart: number, dtEnd: number): Group {
  const { gt, dt, gtGroups, dtGroups } = annotations;
  const gtRows = gtGroups.rows.subarray(gtStart, gtEnd);
  const dtRows = dtGroups.rows.subarray(dtStart, dtEnd);
  const ious = boxIous(dt, dtRows, gt, gtRows);
  const bestIou = new Float64Array(dtRows.length);
  for (let d = 0; d < dtRows.length; d++) {
    for (let g = 0; g < gtRows.length; g++) {
      bestIou[d] = Math.max(bestIou[d] as number, ious[d * gtRows.length + g] as number);
    }
  }
  return { places: dtGroups.placeInClass.subarray(dtStart, dtEnd), gtRows, gtStart, gt, ious, bestIou };
}

function matchGroup(
  group: Group,
  { areaRanges, iouThresholds }: Axes,
  { outcomes, positives, scores }: ClassMatches,
  onMatch?: OnMatch,
): void {
  areaRanges.forEach((range, a) => {
    const ranged = inRange(group, range);
    positives[a] = (positives[a] as number) + ranged.unignored;
    for (let t = 0; t < iouThresholds.length; t++) {
      const offset = (a * iouThresholds.length + t) * scores.length;
      matchAtThreshold(group, ranged, iouThresholds[t] as number, outcomes, offset, onMatch);
    }
  });
}

/** The ground truth of a group as one area range sees it. */
interface Ranged {
  /** (G,). Columns of `Group.ious`: first what is to be found, then what is ignored, else in the order of the file. */
  readonly order: Int32Array;
  /** How many are to be found. */
  readonly unignored: number;
  /** (G,). 1 while matched; crowds never are. */
  readonly taken: Uint8Array;
}

function inRange({ gt, gtRows }: Group, range: AreaRange): Ranged {
  const order = new Int32Array(gtRows.length);
  let unignored = 0;
  let ignored = gtRows.length;
  for (let g = 0; g < gtRows.length; g++) {
    const row = gtRows[g] as number;
    if (gt.iscrowd[row] === 1 || isOutside(gt.area[row] as number, range)) order[--ignored] = g;
    else order[unignored++] = g;
  }
  order.subarray(unignored).reverse();
  return { order, unignored, taken: new Uint8Array(gtRows.length) };
}

/**
 * Each detection, best first, takes the free box of the highest IoU, the later of equals; an ignored box only if no other will do.
 * Writes the outcomes of matched detections, from `offset` on.
 */
function matchAtThreshold(
  group: Group,
  ranged: Ranged,
  threshold: number,
  outcomes: Uint8Array,
  offset: number,
  onMatch?: OnMatch,
): void {
  const { gt, gtRows, gtStart, ious, bestIou, places } = group;
  const { order, unignored, taken } = ranged;
  const lowest = Math.min(threshold, 1 - 1e-10);
  taken.fill(0);
  for (let d = 0; d < places.length; d++) {
    if ((bestIou[d] as number) < lowest) continue;
    const match = bestMatch(group, ranged, d, lowest);
    if (match < 0) continue;
    const g = order[match] as number;
    const row = gtRows[g] as number;
    onMatch?.(offset + (places[d] as number), gtStart + g, ious[d * gtRows.length + g] as number);
    taken[g] = gt.iscrowd[row] === 1 ? 0 : 1;
    if (match >= unignored) outcomes[offset + (places[d] as number)] = IGNORED;
    // pycocotools notes a match as the id of the box, so that the id 0 reads as no match.
    else if (gt.id[row] !== 0) outcomes[offset + (places[d] as number)] = TRUE_POSITIVE;
  }
}

/** Position in `Ranged.order`, or -1. */
function bestMatch({ ious }: Group, { order, unignored, taken }: Ranged, d: number, lowest: number): number {
  let best = lowest;
  let match = -1;
  for (let i = 0; i < order.length; i++) {
    if (i === unignored && match >= 0) break;
    const g = order[i] as number;
    const iou = ious[d * order.length + g] as number;
    if (taken[g] === 1 || iou < best) continue;
    best = iou;
    match = i;
  }
  return match;
}
