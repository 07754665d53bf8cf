/** Annotations image by image, in the order in which pycocotools visits them. */
import type { GroundTruth } from "./input/ground-truth.js";
import type { Results } from "./input/results.js";
import type { Parameters } from "./options.js";
import { positionsOf } from "./positions.js";
import { ascending, isSorted, sortByKey, startsOf } from "./sorting.js";

export interface ByImage {
  /** Numbers of the evaluated rows, sorted by image; within an image in the order that decides ties. */
  readonly rows: Int32Array;
  /** Where each image starts in `rows`; one entry more than there are images. */
  readonly starts: Int32Array;
  /** Image of each row, as a position in the evaluated ones, looked up by row number. */
  readonly images: Int32Array;
  /** Class of each row, 0..K-1 of the axes, looked up by row number. */
  readonly classes: Int32Array;
}

export function groupGroundTruth({ annotations }: GroundTruth, parameters: Parameters): ByImage {
  const images = positionsOf(annotations.imageId, parameters.imageIds);
  const categories = positionsOf(annotations.categoryId, parameters.categoryIds);
  const rows = ascending(images.length);
  if (areDistinct(annotations.id)) return group(rows, images, categories, parameters);
  const named = sortByKey(rows, images, parameters.imageIds.length).filter(
    (row) => !parameters.useCats || (categories[row] as number) >= 0,
  );
  return group(lastOfEachId(named, annotations.id), images, categories, parameters);
}

/** @param images position of each result's image in `Parameters.imageIds`; -1: not evaluated. */
export function groupResults(results: Results, images: Int32Array, parameters: Parameters): ByImage {
  const categories = positionsOf(results.categoryId, parameters.categoryIds);
  return group(ascending(images.length), images, categories, parameters);
}

/** Only some of the rows. */
export function keepRows(all: ByImage, isKept: (row: number) => boolean): ByImage {
  const rows = all.rows.filter(isKept);
  return { ...all, rows, starts: startsOf(rows, all.images, all.starts.length - 1) };
}

/** Without classes, those of an image are in the order of their categories. */
function group(rows: Int32Array, images: Int32Array, categories: Int32Array, parameters: Parameters): ByImage {
  const { imageIds, categoryIds, useCats } = parameters;
  const kept = categories.includes(-1) ? rows.filter((row) => (categories[row] as number) >= 0) : rows;
  const ordered = useCats ? kept : sortByKey(kept, categories, categoryIds.length);
  const sorted = isSorted(ordered, images) ? ordered : sortByKey(ordered, images, imageIds.length);
  const classes = useCats ? categories : new Int32Array(categories.length);
  return { rows: sorted, starts: startsOf(sorted, images, imageIds.length), images, classes };
}

/** pycocotools looks annotations up by id: of several with one id the last stands in for all, each time. */
function lastOfEachId(rows: Int32Array, ids: Float64Array): Int32Array {
  const last = new Map<number, number>();
  ids.forEach((id, row) => last.set(id, row));
  return rows.map((row) => last.get(ids[row] as number) as number);
}

export function areDistinct(ids: Float64Array): boolean {
  const isAscending = ids.every((id, row) => row === 0 || (ids[row - 1] as number) < id);
  return isAscending || new Set(ids).size === ids.length;
}
