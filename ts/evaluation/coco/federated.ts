/** Evaluation of data in which an image is annotated for some classes only, as LVIS is: Gupta et al., CVPR 2019, section 3. */
import { type CocoCategory, type CocoGroundTruth, invalidField } from "./coco-format.js";
import type { BoxColumns, DetectionColumns, GroundTruthColumns } from "./columns.js";
import { type Annotations, type ClassMatches, FALSE_POSITIVE, IGNORED } from "./matching.js";
import type { Parameters } from "./options.js";
import { scoreRanks, sortStable } from "./sorting.js";

export interface FederatedImage {
  readonly id: number;
  /** Classes that are known to be absent. */
  readonly neg_category_ids?: readonly number[];
  /** Classes of which some objects may not be annotated. */
  readonly not_exhaustive_category_ids?: readonly number[];
}

export interface FederatedCategory extends CocoCategory {
  /** How many training images have the class: rare (below 10), common (below 100) or frequent. */
  readonly frequency?: "r" | "c" | "f";
}

export interface FederatedGroundTruth extends CocoGroundTruth {
  readonly images: readonly FederatedImage[];
  readonly categories: readonly FederatedCategory[];
}

/** What is known about each evaluated image; classes are positions in `Parameters.categoryIds`. */
export interface Federation {
  /** Columns without what says nothing: `image` is -1 there. */
  readonly gt: GroundTruthColumns;
  readonly dt: DetectionColumns;
  /** (I,). */
  readonly notExhaustive: readonly ReadonlySet<number>[];
}

/**
 * Leaves out what the reference implementation leaves out: annotations without area, detections beyond the best `limit` of
 * an image whatever their class, and detections of classes that an image was not checked for.
 * ANNOTATIONS_INVALID if an image does not say what it was checked for.
 */
export function federate(
  groundTruth: FederatedGroundTruth,
  gt: GroundTruthColumns,
  dt: DetectionColumns,
  parameters: Parameters,
): Federation {
  const limit = parameters.axes.maxDets.at(-1) as number;
  const withArea = <T extends BoxColumns>(columns: T): T => keep(columns, (row) => (columns.area[row] as number) > 0);
  const found = withArea(gt);
  const checked = classesOfImages(groundTruth, "neg_category_ids", parameters);
  found.image.forEach((image, row) => {
    if (image >= 0) checked[image]?.add(found.category[row] as number);
  });
  const best = withArea(bestOfImages(dt, limit));
  return {
    gt: found,
    dt: keep(best, (row) => checked[best.image[row] as number]?.has(best.category[row] as number) ?? false),
    notExhaustive: classesOfImages(groundTruth, "not_exhaustive_category_ids", parameters),
  };
}

/** Ignores what is wrong only because an image is not annotated exhaustively for class k. */
export function ignoreUnverified(
  { dtGroups }: Annotations,
  k: number,
  { outcomes, scores: { length } }: ClassMatches,
  { notExhaustive }: Federation,
): void {
  for (let p = dtGroups.classStarts[k] as number; p < (dtGroups.classStarts[k + 1] as number); p++) {
    if (!notExhaustive[dtGroups.image[p] as number]?.has(k)) continue;
    for (let at = dtGroups.placeInClass[p] as number; at < outcomes.length; at += length) {
      if (outcomes[at] === FALSE_POSITIVE) outcomes[at] = IGNORED;
    }
  }
}

function classesOfImages(
  { images }: FederatedGroundTruth,
  field: "neg_category_ids" | "not_exhaustive_category_ids",
  { imageIds, categoryIds }: Parameters,
): Set<number>[] {
  const slots = new Map(categoryIds.map((id, k) => [id, k]));
  const records = new Map(images.map((image, row) => [image.id, { ids: image[field], row }]));
  return imageIds.map((id) => {
    const record = records.get(id);
    if (record === undefined) return new Set();
    const { ids, row } = record;
    if (!Array.isArray(ids)) throw invalidField("image", row, field, ids, "not a list of classes");
    return new Set(ids.map((category: number) => slots.get(category) ?? -1));
  });
}

/** Equal scores in the order of the file. */
function bestOfImages(dt: DetectionColumns, limit: number): DetectionColumns {
  const rows = sortStable(
    dt.image.map((_, row) => row),
    scoreRanks(dt.score),
    dt.score.length,
  );
  const counts = new Map<number, number>();
  const chosen = new Uint8Array(dt.score.length);
  for (const row of rows) {
    const image = dt.image[row] as number;
    const count = counts.get(image) ?? 0;
    counts.set(image, count + 1);
    if (count < limit) chosen[row] = 1;
  }
  return keep(dt, (row) => chosen[row] === 1);
}

/** The same columns, with the other rows marked as not evaluated. */
function keep<T extends BoxColumns>(columns: T, isKept: (row: number) => boolean): T {
  return { ...columns, image: columns.image.map((image, row) => (image >= 0 && isKept(row) ? image : -1)) };
}
