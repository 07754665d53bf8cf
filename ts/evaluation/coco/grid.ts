/** IoU thresholds and area ranges as bits of words, so that a detection is matched for many of them at once. */
import type { AreaRange, Axes } from "./options.js";

/** So many bits make a small integer. */
const WORD_BITS = 30;

/** Some of the IoU thresholds, in all area ranges. */
export interface Grid {
  /** T of them, ascending. Bit b stands for the threshold at b. */
  readonly ious: Float64Array;
  /** Where each is in `Axes.iouThresholds`. */
  readonly positions: Int32Array;
  readonly allBits: number;
  /** A of them. */
  readonly areaRanges: readonly AreaRange[];
  /** (A, 2). The ends of each range, in square px. */
  readonly areaEnds: Float64Array;
  readonly words: readonly Word[];
}

/** Area ranges that share a word, T bits for each, those of the first lowest. */
export interface Word {
  readonly firstRange: number;
  readonly endRange: number;
  /** The lowest bit of each range: bits of thresholds times this are the same bits in every range. */
  readonly eachRange: number;
}

/** Usually one; more if there are many thresholds. */
export function gridsOf({ iouThresholds, areaRanges }: Axes): Grid[] {
  const order = Int32Array.from(iouThresholds, (_, t) => t);
  const areaEnds = Float64Array.from(areaRanges.flatMap(({ min, max }) => [min, max]));
  order.sort((a, b) => (iouThresholds[a] as number) - (iouThresholds[b] as number));
  return Array.from({ length: Math.ceil(order.length / WORD_BITS) }, (_, n) => {
    const positions = order.slice(n * WORD_BITS, (n + 1) * WORD_BITS);
    // As in pycocotools, an IoU that is 1 but for rounding reaches the threshold 1.
    const ious = Float64Array.from(positions, (t) => Math.min(iouThresholds[t] as number, 1 - 1e-10));
    const words = wordsOf(areaRanges.length, ious.length);
    return { ious, positions, allBits: (1 << ious.length) - 1, areaRanges, areaEnds, words };
  });
}

function wordsOf(ranges: number, thresholds: number): Word[] {
  const most = Math.floor(WORD_BITS / thresholds);
  return Array.from({ length: Math.ceil(ranges / most) }, (_, w) => {
    const firstRange = w * most;
    const endRange = Math.min(firstRange + most, ranges);
    let eachRange = 0;
    for (let a = firstRange; a < endRange; a++) eachRange |= 1 << ((a - firstRange) * thresholds);
    return { firstRange, endRange, eachRange };
  });
}

/** Bits of the thresholds that an IoU reaches. */
export function bitsReached(iou: number, { ious }: Grid): number {
  let count = 0;
  while (count < ious.length && iou >= (ious[count] as number)) count++;
  return (1 << count) - 1;
}

/** Bits of the ranges of a word that do not include an area. */
export function bitsOutside(area: number, { firstRange, endRange }: Word, grid: Grid): number {
  let bits = 0;
  for (let a = endRange - 1; a >= firstRange; a--) {
    bits = (bits << grid.ious.length) | (isOutside(area, a, grid) ? grid.allBits : 0);
  }
  return bits;
}

/** Whether the area range at `a` does not include an area. */
export function isOutside(area: number, a: number, { areaEnds }: Grid): boolean {
  return area < (areaEnds[2 * a] as number) || area > (areaEnds[2 * a + 1] as number);
}
