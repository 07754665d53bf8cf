/** IoU thresholds and area ranges as bits, so that a detection is matched at many of them at once. */

/** So many bits make a small integer. */
const WORD_BITS = 30;

export interface ThresholdSet {
  /** T, ascending. Bit b stands for the threshold at b. */
  readonly ious: Float64Array;
  /** Where each is in the list that was given. */
  readonly positions: Int32Array;
  readonly allBits: number;
  /** The area ranges whose thresholds share a word; all of them in order. */
  readonly words: readonly Word[];
}

/** Some area ranges, with T bits for each, those of the first lowest. */
export interface Word {
  readonly firstRange: number;
  readonly endRange: number;
  /** The lowest bit of each range: bits of thresholds times this are the same in each range. */
  readonly eachRange: number;
}

/** Sorts thresholds, and cuts them into sets if they are many. */
export function thresholdSets(thresholds: Float64Array, ranges: number): ThresholdSet[] {
  const order = Int32Array.from(thresholds, (_, t) => t);
  order.sort((a, b) => (thresholds[a] as number) - (thresholds[b] as number));
  return Array.from({ length: Math.ceil(order.length / WORD_BITS) }, (_, set) => {
    const positions = order.slice(set * WORD_BITS, (set + 1) * WORD_BITS);
    // As in pycocotools, an IoU that is 1 but for rounding reaches the threshold 1.
    const ious = Float64Array.from(positions, (t) => Math.min(thresholds[t] as number, 1 - 1e-10));
    return { ious, positions, allBits: (1 << ious.length) - 1, words: wordsOf(ranges, ious.length) };
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
export function bitsReached(iou: number, { ious }: ThresholdSet): number {
  let count = 0;
  while (count < ious.length && iou >= (ious[count] as number)) count++;
  return (1 << count) - 1;
}
