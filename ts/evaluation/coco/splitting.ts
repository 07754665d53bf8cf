/** The rows of one image, split by class. */
import type { ByImage } from "./grouping.js";

/** Made once, for one image after the other. */
export interface Split {
  /** The classes that the image has, in no order. */
  readonly classes: number[];
  /** Row numbers, class by class; within a class in the order of the image. Longer than they are many. */
  readonly rows: Int32Array;
  /** Where each class starts in `rows`; 0 for those that the image lacks. */
  readonly starts: Int32Array;
  /** Where it ends; 0 for those that the image lacks. */
  readonly ends: Int32Array;
}

/** @param most as many rows as an image has. */
export function newSplit(classCount: number, most: number): Split {
  return {
    classes: [],
    rows: new Int32Array(most),
    starts: new Int32Array(classCount),
    ends: new Int32Array(classCount),
  };
}

export function splitByClass(
  split: Split,
  { rows, starts: imageStarts, classes: classOf }: ByImage,
  image: number,
): void {
  const from = imageStarts[image] as number;
  const to = imageStarts[image + 1] as number;
  countClasses(split, rows, from, to, classOf);
  for (let i = from; i < to; i++) {
    const row = rows[i] as number;
    const k = classOf[row] as number;
    const place = split.ends[k] as number;
    split.rows[place] = row;
    split.ends[k] = place + 1;
  }
}

/** Sets starts, and ends to where the first row of each class goes. */
function countClasses(
  { classes, starts, ends }: Split,
  rows: Int32Array,
  from: number,
  to: number,
  classOf: Int32Array,
): void {
  for (const k of classes) starts[k] = ends[k] = 0;
  classes.length = 0;
  for (let i = from; i < to; i++) {
    const k = classOf[rows[i] as number] as number;
    if (ends[k] === 0) classes.push(k);
    ends[k] = (ends[k] as number) + 1;
  }
  let next = 0;
  for (const k of classes) {
    const count = ends[k] as number;
    starts[k] = ends[k] = next;
    next += count;
  }
}
