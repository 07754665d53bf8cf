/** Which images are shown, and in which order. Pure functions. */
import type { LabelFile, ReviewedImage } from "../wire/labels.js";
import { boxAt, type JudgedTable, keptOf, type LabelTable, outcomeOf, scoreAt } from "./label-table.js";

export const SORTS = ["order", "uncertainty", "disagreement", "boxes", "size"] as const;
export type Sort = (typeof SORTS)[number];

export const FILTERS = ["all", "not reviewed", "accepted", "rejected", "with errors"] as const;
export type Filter = (typeof FILTERS)[number];

/** By the name of the image. */
export type Reviews = ReadonlyMap<string, ReviewedImage>;

/** Positions of images, in their order. An image whose objects are not known has no errors. */
export function filterImages(judged: JudgedTable, filter: Filter, threshold: number, reviews: Reviews): number[] {
  const { files } = judged.table;
  const isWanted = (image: number): boolean => {
    const verdict = reviews.get((files[image] as LabelFile).name)?.verdict;
    switch (filter) {
      case "all":
        return true;
      case "not reviewed":
        return verdict === undefined;
      case "with errors":
        return errorsOf(judged, image, threshold) > 0;
      default:
        return verdict === filter;
    }
  };
  return [...files.keys()].filter(isWanted);
}

/** Positions of images, those that are most worth a look first; equal ones in their order. */
export function sortImages(judged: JudgedTable, images: readonly number[], sort: Sort, threshold: number): number[] {
  if (sort === "order") return [...images];
  const worth = new Map(images.map((image) => [image, worthOf(judged, image, sort, threshold)]));
  return [...images].sort((a, b) => (worth.get(b) as number) - (worth.get(a) as number) || a - b);
}

function worthOf(judged: JudgedTable, image: number, sort: Exclude<Sort, "order">, threshold: number): number {
  const { table } = judged;
  switch (sort) {
    case "boxes":
      return keptOf(table, image, threshold);
    case "uncertainty":
      return uncertainty(table, image);
    case "disagreement":
      return errorsOf(judged, image, threshold);
    case "size":
      return largestShare(table, image, keptOf(table, image, threshold));
  }
}

function errorsOf({ table, matches }: JudgedTable, image: number, threshold: number): number {
  const match = matches[image];
  if (match === undefined) return 0;
  const { wrong, missed } = outcomeOf(match, keptOf(table, image, threshold));
  return wrong + missed;
}

/** Sum over the boxes of the entropy of being right, in bits: high where many scores are near 0.5. */
function uncertainty(table: LabelTable, image: number): number {
  let sum = 0;
  for (let row = table.starts[image] as number; row < (table.starts[image + 1] as number); row++) {
    const score = Math.min(1 - 1e-6, Math.max(1e-6, scoreAt(table, row)));
    sum -= score * Math.log2(score) + (1 - score) * Math.log2(1 - score);
  }
  return sum;
}

/** Of the image, that its largest kept box covers. */
function largestShare(table: LabelTable, image: number, kept: number): number {
  const { width_px, height_px } = table.files[image] as LabelFile;
  const start = table.starts[image] as number;
  let most = 0;
  for (let row = start; row < start + kept; row++) {
    const [, , width, height] = boxAt(table, row);
    most = Math.max(most, (width * height) / (width_px * height_px));
  }
  return most;
}
