/** The boxes of many images in one array, and what a score threshold makes of them. Pure functions. */
import { boxIou, toXyxy } from "../../core/boxes.js";
import { BOX_NUMBERS, type LabelFile } from "../wire.js";

export interface LabelTable {
  readonly files: readonly LabelFile[];
  /** (files + 1,) Where the boxes of each image begin. */
  readonly starts: Uint32Array;
  /** (boxes * BOX_NUMBERS,) */
  readonly numbers: Float32Array;
}

export type Box = readonly [x: number, y: number, width: number, height: number];

export function labelTable(files: readonly LabelFile[], numbers: Float32Array): LabelTable {
  const starts = new Uint32Array(files.length + 1);
  for (const [index, { boxes }] of files.entries()) starts[index + 1] = (starts[index] as number) + boxes;
  return { files, starts, numbers };
}

export function boxAt({ numbers }: LabelTable, row: number): Box {
  const at = row * BOX_NUMBERS;
  return [numbers[at] as number, numbers[at + 1] as number, numbers[at + 2] as number, numbers[at + 3] as number];
}

export function scoreAt({ numbers }: LabelTable, row: number): number {
  return numbers[row * BOX_NUMBERS + 4] as number;
}

export function classAt({ numbers }: LabelTable, row: number): number {
  return numbers[row * BOX_NUMBERS + 5] as number;
}

/** How many boxes of an image reach the threshold: its first ones. */
export function keptOf(table: LabelTable, image: number, threshold: number): number {
  const start = table.starts[image] as number;
  const end = table.starts[image + 1] as number;
  let row = start;
  while (row < end && scoreAt(table, row) >= threshold) row++;
  return row - start;
}

export interface KeptCounts {
  readonly boxes: number;
  readonly emptyImages: number;
}

export function countKept(table: LabelTable, threshold: number): KeptCounts {
  let [boxes, emptyImages] = [0, 0];
  for (const image of table.files.keys()) {
    const kept = keptOf(table, image, threshold);
    boxes += kept;
    if (kept === 0) emptyImages++;
  }
  return { boxes, emptyImages };
}

/** Boxes by score, in parts of [0, 1] of equal width; a score on a border counts in the upper part. */
export function scoreHistogram(table: LabelTable, parts: number): number[] {
  const counts = new Array<number>(parts).fill(0);
  for (let row = 0; row < table.numbers.length / BOX_NUMBERS; row++) {
    const part = Math.min(parts - 1, Math.floor(scoreAt(table, row) * parts));
    counts[part] = (counts[part] as number) + 1;
  }
  return counts;
}

/** What is known of an image whose objects are known, whatever the threshold is. */
export interface Matches {
  /** (boxes,) Of each box the object that it finds, or -1. */
  readonly found: Int32Array;
  /** (objects,) Of each object the box that finds it, or -1. */
  readonly foundBy: Int32Array;
}

const TRUTH_NUMBERS = 5;
const IOU = 0.5;

/**
 * As COCO matches: box by box from the best score on, each takes the object of its class that it overlaps most, at an IoU of 0.5
 * or above, among those that no better box has taken. So a threshold takes matches away and changes none.
 */
export function matchImage(table: LabelTable, image: number): Matches | undefined {
  const truth = table.files[image]?.truth;
  if (truth === undefined) return undefined;
  const start = table.starts[image] as number;
  const count = (table.starts[image + 1] as number) - start;
  const found = new Int32Array(count).fill(-1);
  const foundBy = new Int32Array(truth.length / TRUTH_NUMBERS).fill(-1);
  for (let box = 0; box < count; box++) {
    const corners = toXyxy(boxAt(table, start + box));
    let best = IOU;
    for (let object = 0; object < foundBy.length; object++) {
      if (foundBy[object] !== -1 || truthClass(truth, object) !== classAt(table, start + box)) continue;
      const iou = boxIou(corners, toXyxy(truthBox(truth, object)));
      if (iou < best) continue;
      best = iou;
      found[box] = object;
    }
    if (found[box] !== -1) foundBy[found[box] as number] = box;
  }
  return { found, foundBy };
}

export function truthBox(truth: readonly number[], object: number): Box {
  const at = object * TRUTH_NUMBERS;
  return [truth[at] as number, truth[at + 1] as number, truth[at + 2] as number, truth[at + 3] as number];
}

function truthClass(truth: readonly number[], object: number): number {
  return truth[object * TRUTH_NUMBERS + 4] as number;
}

export interface Outcome {
  readonly right: number;
  readonly wrong: number;
  readonly missed: number;
}

/** @param kept how many boxes of the image reach the threshold. */
export function outcomeOf({ found, foundBy }: Matches, kept: number): Outcome {
  const right = found.subarray(0, kept).reduce((sum, object) => sum + Number(object >= 0), 0);
  return { right, wrong: kept - right, missed: foundBy.length - right };
}

export const SORTS = ["order", "uncertainty", "disagreement", "boxes", "size"] as const;
export type Sort = (typeof SORTS)[number];

/** Positions of images, those that are most worth a look first; equal ones in their order. */
export function sortImages(
  table: LabelTable,
  images: readonly number[],
  sort: Sort,
  threshold: number,
  matches: readonly (Matches | undefined)[],
): number[] {
  if (sort === "order") return [...images];
  const worth = new Map(images.map((image) => [image, worthOf(table, image, sort, threshold, matches[image])]));
  return [...images].sort((a, b) => (worth.get(b) as number) - (worth.get(a) as number) || a - b);
}

function worthOf(
  table: LabelTable,
  image: number,
  sort: Exclude<Sort, "order">,
  threshold: number,
  matches: Matches | undefined,
): number {
  const kept = keptOf(table, image, threshold);
  switch (sort) {
    case "boxes":
      return kept;
    case "uncertainty":
      return uncertainty(table, image);
    case "disagreement": {
      if (matches === undefined) return 0;
      const { wrong, missed } = outcomeOf(matches, kept);
      return wrong + missed;
    }
    case "size":
      return largestShare(table, image, kept);
  }
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

/** What the threshold gives on held-out images: that of the lowest measured score which it keeps. */
export function estimateAt<T extends { readonly score: number }>(
  curve: readonly T[],
  threshold: number,
): T | undefined {
  return curve.findLast(({ score }) => score >= threshold);
}
