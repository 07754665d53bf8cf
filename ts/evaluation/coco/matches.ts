/** Which detection took which ground truth, as tables: what every diagnosis is computed from. */
import type { CocoCategory } from "./coco-format.js";
import type { Evaluated } from "./federated.js";
import type { GroundTruth } from "./input/ground-truth.js";
import type { Results } from "./input/results.js";
import {
  detectionTable,
  groundTruthTable,
  IGNORED,
  type MatchedDetections,
  type MatchedGroundTruth,
  TRUE_POSITIVE,
} from "./match-tables.js";
import type { AreaRange, Axes, Parameters } from "./options.js";
import { collectOverlaps, type ImagePairs, imagePairs, type Overlaps } from "./overlaps.js";

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

/** Matches one threshold after the other in the area range "all", which the parameters must have. */
export function recordMatches(
  { gt, dt, evidence }: Evaluated,
  { annotations, categories }: GroundTruth,
  { boxXywh }: Results,
  { axes, imageIds, useCats }: Parameters,
): CocoMatches {
  const range = axes.areaRanges.find(({ name }) => name === "all") as AreaRange;
  const detections = detectionTable(dt, boxXywh, evidence, axes, range);
  const groundTruth = groundTruthTable(gt, annotations.boxXywh, evidence, axes, range);
  const isCrowd = (g: number): boolean => annotations.iscrowd[groundTruth.row[g] as number] === 1;
  const collector = collectOverlaps(detections.row.length);
  for (const pairs of imagePairs(detections, groundTruth, imageIds.length, evidence.ious)) {
    axes.iouThresholds.forEach((threshold, t) => matchImage(pairs, t, threshold, { detections, groundTruth, isCrowd }));
    collector.add(pairs);
  }
  const names = new Map(categories.map(({ id, name }) => [id, name]));
  return {
    axes: { ...axes, areaRanges: [range], maxDets: axes.maxDets.slice(-1) },
    categories: axes.categoryIds.map((id) => ({ id, name: useCats ? (names.get(id) ?? "") : "any" })),
    imageIds,
    detections,
    groundTruth,
    overlaps: collector.overlaps(),
  };
}

interface Tables {
  readonly detections: MatchedDetections;
  readonly groundTruth: MatchedGroundTruth;
  readonly isCrowd: (g: number) => boolean;
}

/** Lets the detections of an image, best first, take ground truth at the threshold at t. */
function matchImage(pairs: ImagePairs, t: number, threshold: number, tables: Tables): void {
  const { detections, groundTruth } = tables;
  pairs.detections.forEach((d, row) => {
    const ious = pairs.ious.subarray(row * pairs.groundTruth.length, (row + 1) * pairs.groundTruth.length);
    const isFree = (g: number): boolean =>
      groundTruth.category[g] === detections.category[d] &&
      (groundTruth.detection[t * groundTruth.row.length + g] === -1 || tables.isCrowd(g));
    const best = (ignored: number): number =>
      bestPlace(ious, threshold, (place) => {
        const g = pairs.groundTruth[place] as number;
        return groundTruth.ignored[g] === ignored && isFree(g);
      });
    const wanted = best(0);
    const place = wanted >= 0 ? wanted : best(1);
    if (place >= 0) noteMatch(tables, t, d, pairs.groundTruth[place] as number, ious[place] as number);
  });
}

/** Where the IoU is highest, the last of equals; -1 if none is wanted that reaches the threshold. */
function bestPlace(ious: Float64Array, threshold: number, isWanted: (place: number) => boolean): number {
  let best = -1;
  // As in pycocotools, an IoU that is 1 but for rounding reaches the threshold 1.
  let highest = Math.min(threshold, 1 - 1e-10);
  ious.forEach((iou, place) => {
    if (iou < highest || !isWanted(place)) return;
    best = place;
    highest = iou;
  });
  return best;
}

function noteMatch({ detections, groundTruth }: Tables, t: number, d: number, g: number, iou: number): void {
  const at = t * detections.row.length + d;
  detections.groundTruth[at] = g;
  detections.iou[at] = iou;
  groundTruth.detection[t * groundTruth.row.length + g] = d;
  if (groundTruth.ignored[g] === 1) detections.outcome[at] = IGNORED;
  // pycocotools notes a match as the id of the box, so that the id 0 reads as no match.
  else if (groundTruth.id[g] !== 0) detections.outcome[at] = TRUE_POSITIVE;
}
