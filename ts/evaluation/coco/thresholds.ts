/** IoU thresholds as bits, so that a detection is matched at many of them at once. */

/** So many bits make a small integer. */
const MOST = 30;

export interface ThresholdSet {
  /** Ascending. Bit b stands for the threshold at b. */
  readonly ious: Float64Array;
  /** Where each is in the list that was given. */
  readonly positions: Int32Array;
  readonly allBits: number;
}

/** Sorts thresholds, and cuts them into sets if they are many. */
export function thresholdSets(thresholds: Float64Array): ThresholdSet[] {
  const order = Int32Array.from(thresholds, (_, t) => t);
  order.sort((a, b) => (thresholds[a] as number) - (thresholds[b] as number));
  return Array.from({ length: Math.ceil(order.length / MOST) }, (_, set) => {
    const positions = order.slice(set * MOST, (set + 1) * MOST);
    // As in pycocotools, an IoU that is 1 but for rounding reaches the threshold 1.
    const ious = Float64Array.from(positions, (t) => Math.min(thresholds[t] as number, 1 - 1e-10));
    return { ious, positions, allBits: (1 << positions.length) - 1 };
  });
}

/** Bits of the thresholds that an IoU reaches. */
export function bitsReached(iou: number, { ious }: ThresholdSet): number {
  let count = 0;
  while (count < ious.length && iou >= (ious[count] as number)) count++;
  return (1 << count) - 1;
}
