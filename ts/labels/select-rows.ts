/** The rules by which predictions become pseudo labels, on columns. */
import { maskSuppression, type Suppresses } from "./mask-suppression.js";
import type { StoredBoxes } from "./store.js";

/** Which predictions become pseudo labels. */
export interface SelectionPolicy {
  /** In [0, 1]; predictions below it become none. */
  readonly score_threshold: number;
  /** IoU above which the lower of two boxes is dropped. */
  readonly nms_iou: number;
  /** What that is the IoU of; masks only where predictions have some. @default "boxes" */
  readonly nms_of?: "boxes" | "masks" | undefined;
  readonly max_per_image: number;
  /** Of width and height. */
  readonly min_side_px: number;
}

/** How many predictions each rule of the policy dropped. A prediction is counted by the first rule that it breaks. */
export interface DroppedPredictions {
  readonly score: number;
  /** Boxes that are too small, or of no area, inside the image. */
  readonly min_side: number;
  readonly nms: number;
  readonly max_per_image: number;
}

export interface SelectedRows {
  /** Image by image in the order of the boxes, within an image by descending score; of equal scores the lower row is first. */
  readonly rows: Uint32Array<ArrayBuffer>;
  readonly dropped: DroppedPredictions;
}

/**
 * The policy's rules image by image, in their order: score threshold, minimum side, NMS within each class (one class:
 * class-agnostic), the best `max_per_image`.
 * @param boxes sorted by image.
 */
export function selectRows(boxes: StoredBoxes, policy: SelectionPolicy): SelectedRows {
  const { image, score } = boxes;
  const rows = new Uint32Array(score.length);
  const dropped = { score: 0, min_side: 0, nms: 0, max_per_image: 0 };
  const byBoxes = suppression(boxes, policy.nms_iou);
  const masks = policy.nms_of === "masks" ? boxes.mask : undefined;
  let taken = 0;
  for (let start = 0, end = 0; start < score.length; start = end) {
    end = start + 1;
    while (image[end] === image[start]) end++;
    const candidates = takeCandidates(boxes, policy, { start, end, rows, taken, dropped });
    sortByScore(rows.subarray(taken, taken + candidates), score);
    const suppresses = masks ? maskSuppression(masks, boxes.class, policy.nms_iou, byBoxes) : byBoxes;
    const apart = suppressInPlace(rows, taken, candidates, suppresses);
    const best = Math.min(apart, policy.max_per_image);
    dropped.nms += candidates - apart;
    dropped.max_per_image += apart - best;
    taken += best;
  }
  return { rows: rows.slice(0, taken), dropped };
}

interface ImageRows {
  readonly start: number;
  readonly end: number;
  readonly rows: Uint32Array;
  /** Where to put what is taken. */
  readonly taken: number;
  readonly dropped: { score: number; min_side: number };
}

/** Puts the rows of an image that pass by themselves into `rows`. Returns how many there are. */
function takeCandidates(
  { x0, y0, x1, y1, score }: StoredBoxes,
  { score_threshold, min_side_px }: SelectionPolicy,
  { start, end, rows, taken, dropped }: ImageRows,
): number {
  let count = 0;
  for (let row = start; row < end; row++) {
    if ((score[row] as number) < score_threshold) {
      dropped.score++;
      continue;
    }
    const width = (x1[row] as number) - (x0[row] as number);
    const height = (y1[row] as number) - (y0[row] as number);
    const side = Math.min(width, height);
    if (side > 0 && side >= min_side_px) rows[taken + count++] = row;
    else dropped.min_side++;
  }
  return count;
}

/** Workers send boxes in this order; others may not. */
function sortByScore(rows: Uint32Array, score: Float32Array): void {
  for (let at = 1; at < rows.length; at++) {
    if ((score[rows[at] as number] as number) <= (score[rows[at - 1] as number] as number)) continue;
    rows.sort((a, b) => (score[b] as number) - (score[a] as number) || a - b);
    return;
  }
}

/** Greedy NMS of the rows from `start` on, best first. Those that stay move together. Returns how many these are. */
function suppressInPlace(rows: Uint32Array, start: number, count: number, suppresses: Suppresses): number {
  let kept = start;
  for (let at = start; at < start + count; at++) {
    const row = rows[at] as number;
    let better = start;
    while (better < kept && !suppresses(rows[better] as number, row)) better++;
    if (better === kept) rows[kept++] = row;
  }
  return kept - start;
}

/** Whether two rows are of one class and overlap by more than the threshold. In double precision, as torchvision's NMS of float64 boxes. */
function suppression({ x0, y0, x1, y1, class: label }: StoredBoxes, nmsIou: number): Suppresses {
  const areaOf = (row: number): number =>
    ((x1[row] as number) - (x0[row] as number)) * ((y1[row] as number) - (y0[row] as number));
  return (a, b) => {
    const width = Math.min(x1[a] as number, x1[b] as number) - Math.max(x0[a] as number, x0[b] as number);
    if (width <= 0) return false;
    const height = Math.min(y1[a] as number, y1[b] as number) - Math.max(y0[a] as number, y0[b] as number);
    if (height <= 0 || label[a] !== label[b]) return false;
    const intersection = width * height;
    return intersection / (areaOf(a) + areaOf(b) - intersection) > nmsIou;
  };
}

/** Some rows of boxes, in their order. */
export function takeRows({ mask, ...boxes }: StoredBoxes, rows: Uint32Array): StoredBoxes {
  const floats = (values: Float32Array) => take(values, rows, new Float32Array(rows.length));
  const integers = (values: Int32Array) => take(values, rows, new Int32Array(rows.length));
  return {
    image: integers(boxes.image),
    x0: floats(boxes.x0),
    y0: floats(boxes.y0),
    x1: floats(boxes.x1),
    y1: floats(boxes.y1),
    score: floats(boxes.score),
    class: integers(boxes.class),
    ...(mask === undefined ? {} : { mask: Array.from(rows, (row) => mask[row] ?? null) }),
  };
}

/** Many times as fast as `from` with a function. */
function take<T extends Float32Array | Int32Array>(values: Float32Array | Int32Array, rows: Uint32Array, taken: T): T {
  for (let at = 0; at < rows.length; at++) taken[at] = values[rows[at] as number] as number;
  return taken;
}
