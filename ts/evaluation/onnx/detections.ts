/** The dense output of a model to the objects of an image. The worker's prediction does the same. */
import { type BoxXywh, type BoxXyxy, toXywh } from "../../core/boxes.js";
import { byDescendingScore, nms } from "../../core/nms.js";
import { fitSize, type Size } from "./letterbox.js";
import type { ModelMetadata } from "./model-metadata.js";

/** What a model says of one image: L locations, K classes. */
export interface DenseOutput {
  /** (L, 4) xyxy, px of the input. */
  readonly boxes: Float32Array;
  /** (L, K) in [0, 1]. */
  readonly scores: Float32Array;
}

/** B objects, best first. */
export interface Detections {
  /** (B, 4), px of the original image, inside it and of positive area. */
  readonly boxXywh: Float64Array;
  /** (B,). */
  readonly score: Float32Array;
  /** (B,). 0..K-1. */
  readonly classIndex: Int32Array;
}

/**
 * Those candidates (pairs of location and class) that count: score threshold, the best `max_candidates`, NMS within each class,
 * the best `max_detections`. Of equal scores the lower index is first.
 */
export function toDetections(
  dense: DenseOutput,
  { predict, categories, input }: ModelMetadata,
  image: Size,
): Detections {
  const candidates = bestCandidates(dense.scores, predict);
  const locations = candidates.map((candidate) => Math.floor(candidate / categories.length));
  const classes = candidates.map((candidate) => candidate % categories.length);
  const scores = Float32Array.from(candidates, (candidate) => dense.scores[candidate] as number);
  const boxAt = (i: number) => dense.boxes.subarray(4 * (locations[i] as number), 4 * (locations[i] as number) + 4);
  const boxes = new Float32Array(4 * candidates.length);
  for (let i = 0; i < candidates.length; i++) boxes.set(boxAt(i), 4 * i);

  const size = { widthPx: input.width_px, heightPx: input.height_px };
  const found = nms(boxes, scores, classes, predict.nms_iou)
    .slice(0, predict.max_detections)
    .map((i) => ({ box: toImage(boxAt(i), size, image), score: scores[i] as number, classIndex: classes[i] as number }))
    .filter(({ box: [, , width, height] }) => width > 0 && height > 0);
  return {
    boxXywh: Float64Array.from(found.flatMap(({ box }) => box)),
    score: Float32Array.from(found, ({ score }) => score),
    classIndex: Int32Array.from(found, ({ classIndex }) => classIndex),
  };
}

/** Indices into scores, best first. The threshold is compared as float32, as torch does. */
function bestCandidates(
  scores: Float32Array,
  { score_threshold, max_candidates }: ModelMetadata["predict"],
): Int32Array {
  const threshold = Math.fround(score_threshold);
  const above: number[] = [];
  scores.forEach((score, index) => {
    if (score >= threshold) above.push(index);
  });
  const order = byDescendingScore(Float32Array.from(above, (index) => scores[index] as number));
  return Int32Array.from(order.subarray(0, max_candidates), (i) => above[i] as number);
}

/** A box of the input as the box of the image that it shows, clipped to it. */
function toImage(boxXyxy: Float32Array, input: Size, image: Size): BoxXywh {
  const fit = fitSize(image, input);
  const [left, top, right, bottom] = boxXyxy as unknown as BoxXyxy;
  const x = (value: number) => Math.min(Math.max((value * image.widthPx) / fit.widthPx, 0), image.widthPx);
  const y = (value: number) => Math.min(Math.max((value * image.heightPx) / fit.heightPx, 0), image.heightPx);
  return toXywh([x(left), y(top), x(right), y(bottom)]);
}
