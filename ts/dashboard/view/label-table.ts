/** The boxes of many images in one array, and what a score threshold makes of them. Pure functions. */
import { boxIou, toXyxy } from "../../core/boxes.js";
import { BOX_NUMBERS, type LabelFile } from "../wire/labels.js";

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

export interface JudgedTable {
  readonly table: LabelTable;
  /** (files,) Undefined where the objects of the image are not known. */
  readonly matches: readonly (Matches | undefined)[];
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

/** Of the images whose objects are known. */
export function countOutcomes({ table, matches }: JudgedTable, threshold: number): Outcome {
  let [right, wrong, missed] = [0, 0, 0];
  for (const [image, match] of matches.entries()) {
    if (match === undefined) continue;
    const outcome = outcomeOf(match, keptOf(table, image, threshold));
    right += outcome.right;
    wrong += outcome.wrong;
    missed += outcome.missed;
  }
  return { right, wrong, missed };
}

/** What the threshold gives on held-out images: that of the lowest measured score which it keeps. */
export function estimateAt<T extends { readonly score: number }>(
  curve: readonly T[],
  threshold: number,
): T | undefined {
  return curve.findLast(({ score }) => score >= threshold);
}
