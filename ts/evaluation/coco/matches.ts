/** Which detection took which ground truth, as tables: what every diagnosis is computed from. */
import { CasslError } from "../../core/errors.js";
import type { CocoCategory } from "./coco-format.js";
import type { BoxColumns } from "./columns.js";
import type { Grouped } from "./grouping.js";
import type { Annotations, ClassMatches, OnMatch } from "./matching.js";
import type { Axes, Parameters } from "./options.js";
import { findOverlaps, type IouOf, type Overlaps } from "./overlaps.js";

/** T IoU thresholds, K classes, D detections and G ground-truth annotations that were evaluated. */
export interface CocoMatches {
  /** Those of the evaluation, with the area range "all" and the largest of `maxDets` only. */
  readonly axes: Axes;
  /** Of each class of `axes.categoryIds`; one called "any" with `useCats: false`. */
  readonly categories: readonly CocoCategory[];
  /** Evaluated images, ascending. */
  readonly imageIds: readonly number[];
  readonly detections: MatchedDetections;
  readonly groundTruth: MatchedGroundTruth;
  /** Whom a detection overlaps, of whatever class. */
  readonly overlaps: Overlaps;
}

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
  /** (rows, 4), absolute px. */
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

/** Takes down the matches of one evaluation, class by class. */
export interface MatchRecorder {
  readonly matches: CocoMatches;
  /** What to give to `matchClass` for class k. */
  readonly onMatch: (k: number) => OnMatch;
  /** Takes the outcomes of class k, once they are final. */
  readonly finish: (k: number, classMatches: ClassMatches) => void;
}

/** CONFIG_INVALID if no area range is called "all". */
export function recordMatches(
  annotations: Annotations,
  parameters: Parameters,
  categories: readonly CocoCategory[],
  iouOf: IouOf,
): MatchRecorder {
  const a = parameters.axes.areaRanges.findIndex(({ name }) => name === "all");
  if (a < 0) throw noRangeForAll(parameters.axes);
  const matches = unmatched(annotations, parameters, categories, a, iouOf);
  const firstRow = a * matches.axes.iouThresholds.length;
  return {
    matches,
    onMatch: (k) => matchWriter(matches, k, firstRow),
    finish: (k, classMatches) => writeOutcomes(matches, k, firstRow, classMatches),
  };
}

/** @param firstRow where the thresholds of the area range "all" start among the rows (A, T) of `ClassMatches.outcomes`. */
function matchWriter({ axes, detections, groundTruth }: CocoMatches, k: number, firstRow: number): OnMatch {
  const start = detections.classStarts[k] as number;
  const count = (detections.classStarts[k + 1] as number) - start;
  return (outcome, gtPosition, iou) => {
    const t = Math.floor(outcome / count) - firstRow;
    if (t < 0 || t >= axes.iouThresholds.length) return;
    const detection = start + (outcome % count);
    detections.groundTruth[t * detections.row.length + detection] = gtPosition;
    detections.iou[t * detections.row.length + detection] = iou;
    groundTruth.detection[t * groundTruth.row.length + gtPosition] = detection;
  };
}

function writeOutcomes(
  { axes, detections }: CocoMatches,
  k: number,
  firstRow: number,
  { outcomes, scores: { length } }: ClassMatches,
): void {
  axes.iouThresholds.forEach((_, t) => {
    const from = (firstRow + t) * length;
    const to = t * detections.row.length + (detections.classStarts[k] as number);
    detections.outcome.set(outcomes.subarray(from, from + length), to);
  });
}

function noRangeForAll({ areaRanges }: Axes): CasslError {
  const message = `Matches are those of the area range "all", but areaRanges names ${areaRanges.map(({ name }) => name).join(", ")}.`;
  return new CasslError("CONFIG_INVALID", message, 'Name a range "all", or leave `matches` out.');
}

/** The tables before matching. */
function unmatched(
  annotations: Annotations,
  { axes, imageIds, useCats }: Parameters,
  categories: readonly CocoCategory[],
  a: number,
  iouOf: IouOf,
): CocoMatches {
  const names = new Map(categories.map(({ id, name }) => [id, name]));
  const range = axes.areaRanges[a] as Axes["areaRanges"][number];
  const detections = detectionTable(annotations, axes.iouThresholds.length);
  const groundTruth = groundTruthTable(annotations, axes.iouThresholds.length);
  groundTruth.area.forEach((area, row) => {
    if (area < range.min || area > range.max) groundTruth.ignored[row] = 1;
  });
  return {
    axes: { ...axes, areaRanges: [range], maxDets: axes.maxDets.slice(-1) },
    categories: axes.categoryIds.map((id) => ({ id, name: useCats ? (names.get(id) ?? "") : "any" })),
    imageIds,
    detections,
    groundTruth,
    overlaps: findOverlaps(detections, groundTruth, imageIds.length, iouOf),
  };
}

function detectionTable({ dt, dtGroups }: Annotations, thresholds: number): MatchedDetections {
  const row = new Int32Array(dtGroups.rows.length);
  const rankInImage = new Int32Array(row.length);
  classOfEach(dtGroups).forEach((k, position) => {
    const place = (dtGroups.classStarts[k] as number) + (dtGroups.placeInClass[position] as number);
    row[place] = dtGroups.rows[position] as number;
    rankInImage[place] = dtGroups.rankInImage[position] as number;
  });
  return {
    ...annotationTable(dt, row, dtGroups),
    score: Float64Array.from(row, (r) => dt.score[r] as number),
    rankInImage,
    outcome: new Uint8Array(thresholds * row.length),
    groundTruth: new Int32Array(thresholds * row.length).fill(-1),
    iou: new Float64Array(thresholds * row.length),
  };
}

function groundTruthTable({ gt, gtGroups }: Annotations, thresholds: number): MatchedGroundTruth {
  return {
    ...annotationTable(gt, gtGroups.rows, gtGroups),
    id: Float64Array.from(gtGroups.rows, (row) => gt.id[row] as number),
    ignored: Uint8Array.from(gtGroups.rows, (row) => gt.iscrowd[row] as number),
    detection: new Int32Array(thresholds * gtGroups.rows.length).fill(-1),
  };
}

function annotationTable(columns: BoxColumns, row: Int32Array, groups: Grouped): MatchedAnnotations {
  const boxXywh = new Float64Array(4 * row.length);
  row.forEach((r, i) => {
    boxXywh.set(columns.boxXywh.subarray(4 * r, 4 * r + 4), 4 * i);
  });
  return {
    row,
    image: row.map((r) => columns.image[r] as number),
    category: classOfEach(groups),
    classStarts: groups.classStarts,
    area: Float64Array.from(row, (r) => columns.area[r] as number),
    boxXywh,
  };
}

function classOfEach({ rows, classStarts }: Grouped): Int32Array {
  const classes = new Int32Array(rows.length);
  for (let k = 0; k + 1 < classStarts.length; k++) classes.fill(k, classStarts[k], classStarts[k + 1]);
  return classes;
}
