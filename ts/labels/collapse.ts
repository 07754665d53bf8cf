/** Whether a model has collapsed, that is, finds the same box in every image. */
import { boxPairIou } from "../core/pair-iou.js";

export interface Collapse {
  /** Mean IoU of the best box of an image with the median of all best boxes. */
  readonly predicted: number;
  /** Mean IoU with that same box of the ground-truth box that fits it best, image by image. */
  readonly groundTruth: number;
}

/** With fewer images their median is near each of them for no other reason. */
const FEWEST_IMAGES = 10;

/**
 * How well one fixed box fits the predictions, and how well it fits the ground truth. Where objects always stand in the middle
 * both are high, and nothing is wrong; a model that has collapsed leaves the ground truth behind.
 *
 * Boxes are in shares of their image, [left, top, right, bottom] in [0, 1], so that images of all sizes compare.
 * @param best (I * 4) the box of the highest score of each image that has one.
 * @param groundTruth for each labeled image that has objects (N * 4).
 * @returns undefined with fewer than 10 images on either side.
 */
export function measureCollapse(best: Float64Array, groundTruth: readonly Float64Array[]): Collapse | undefined {
  if (best.length < 4 * FEWEST_IMAGES || groundTruth.length < FEWEST_IMAGES) return undefined;
  const median = medianBox(best);
  const predicted = fits(best, median);
  const bestOfImages = groundTruth.map((boxes) => fits(boxes, median).reduce((a, b) => Math.max(a, b), 0));
  return { predicted: mean(predicted), groundTruth: mean(bestOfImages) };
}

/** The IoU of each box with `median`. */
function fits(boxes: Float64Array, median: readonly number[]): number[] {
  const count = boxes.length / 4;
  const all = new Float64Array(boxes.length + 4);
  all.set(boxes);
  all.set(median, boxes.length);
  const iou = boxPairIou(all);
  return Array.from({ length: count }, (_, box) => iou(box, count));
}

/** Coordinate by coordinate, the lower middle one of an even number. */
function medianBox(boxes: Float64Array): number[] {
  const count = boxes.length / 4;
  return [0, 1, 2, 3].map((side) => {
    const ascending = Float64Array.from({ length: count }, (_, box) => boxes[4 * box + side] as number).sort();
    return ascending[(count - 1) >> 1] as number;
  });
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
