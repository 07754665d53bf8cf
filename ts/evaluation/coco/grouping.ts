/** Annotations class by class, image by image, in the order in which pycocotools visits them. */
import type { GroundTruth } from "./input/ground-truth.js";
import type { Results } from "./input/results.js";
import type { Parameters } from "./options.js";
import { positionsOf } from "./positions.js";
import { ascending, sortByKey, startsOf } from "./sorting.js";

export interface Grouped {
  /** Evaluated rows, sorted by class (0..K-1 of the axes), then by image, then in the order that decides ties. */
  readonly rows: Int32Array;
  /** Where each class starts in `rows`; K + 1 entries. */
  readonly classStarts: Int32Array;
  /** Into `Parameters.imageIds`, by row number; -1: not evaluated. */
  readonly image: Int32Array;
}

export function groupGroundTruth({ annotations }: GroundTruth, parameters: Parameters): Grouped {
  const image = positionsOf(annotations.imageId, parameters.imageIds);
  const category = positionsOf(annotations.categoryId, parameters.categoryIds);
  const inImages = sortByKey(ascending(image.length), image, parameters.imageIds.length);
  const named = parameters.useCats ? inImages.filter((row) => (category[row] as number) >= 0) : inImages;
  return group(lastOfEachId(named, annotations.id), image, category, parameters);
}

/** @param image position of each result's image, as in `Grouped`. */
export function groupResults(results: Results, image: Int32Array, parameters: Parameters): Grouped {
  const category = positionsOf(results.categoryId, parameters.categoryIds);
  return group(ascending(image.length), image, category, parameters);
}

/** Without classes all rows are one class, in which those of an image are in the order of their categories. */
function group(rows: Int32Array, image: Int32Array, category: Int32Array, parameters: Parameters): Grouped {
  const { imageIds, categoryIds, useCats } = parameters;
  const byImage = (some: Int32Array): Int32Array => sortByKey(some, image, imageIds.length);
  const byCategory = (some: Int32Array): Int32Array => sortByKey(some, category, categoryIds.length);
  const sorted = useCats ? byCategory(byImage(rows)) : byImage(byCategory(rows));
  const classStarts = useCats ? startsOf(sorted, category, categoryIds.length) : Int32Array.of(0, sorted.length);
  return { rows: sorted, classStarts, image };
}

/** pycocotools looks annotations up by id: of several with one id the last stands in for all, each time. */
function lastOfEachId(rows: Int32Array, ids: Float64Array): Int32Array {
  if (areDistinct(ids)) return rows;
  const last = new Map<number, number>();
  ids.forEach((id, row) => last.set(id, row));
  return rows.map((row) => last.get(ids[row] as number) as number);
}

export function areDistinct(ids: Float64Array): boolean {
  const isAscending = ids.every((id, row) => row === 0 || (ids[row - 1] as number) < id);
  return isAscending || new Set(ids).size === ids.length;
}
