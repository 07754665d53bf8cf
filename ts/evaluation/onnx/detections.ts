/** The dense output of a model to the objects of an image. The worker's prediction does the same. */
import { type BoxXyxy, toXywh } from "../../core/boxes.js";
import { byDescendingScore, nms } from "../../core/nms.js";
import { type Found, type MaskOutput, maskCounts } from "./instance-masks.js";
import { fitSize, type Size } from "./letterbox.js";
import type { ModelMetadata } from "./model-metadata.js";

/** What a model says of one image: L locations, K classes. */
export interface DenseOutput {
  /** (L, 4) xyxy, px of the input. */
  readonly boxes: Float32Array;
  /** (L, K) in [0, 1]. */
  readonly scores: Float32Array;
  /** Of a segmenter. */
  readonly masks?: MaskOutput;
}

/** B objects, best first. */
export interface Detections {
  /** (B, 4), px of the original image, inside it and of positive area. */
  readonly boxXywh: Float64Array;
  /** (B,). */
  readonly score: Float32Array;
  /** (B,). 0..K-1. */
  readonly classIndex: Int32Array;
  /** (B,) masks of the whole image as COCO's counts strings, each with some pixel. Of a segmenter. */
  readonly masks?: readonly string[];
}

/**
 * Those candidates (pairs of location and class) that count: score threshold, the best `max_candidates`, NMS within each class,
 * the best `max_detections`, and of these whose box and mask are not empty inside the image. Of equal scores the lower index is
 * first.
 */
export function toDetections(dense: DenseOutput, metadata: ModelMetadata, image: Size): Detections {
  const { width_px, height_px } = metadata.input;
  const input = { widthPx: width_px, heightPx: height_px };
  const found = best(dense, metadata)
    .map((one): Scored => ({ ...one, boxXyxy: toImage(one.candidateXyxy, input, image) }))
    .filter(({ boxXyxy: [left, top, right, bottom] }) => left < right && top < bottom);
  const { masks } = dense;
  if (masks === undefined) return inColumns(found);
  const masked = found.flatMap((one) => {
    const counts = maskCounts(masks, one, input, image);
    return counts === undefined ? [] : [{ ...one, counts }];
  });
  return { ...inColumns(masked), masks: masked.map(({ counts }) => counts) };
}

interface Scored extends Found {
  readonly score: number;
}

function inColumns(found: readonly Scored[]): Detections {
  return {
    boxXywh: Float64Array.from(found.flatMap(({ boxXyxy }) => toXywh(boxXyxy))),
    score: Float32Array.from(found, ({ score }) => score),
    classIndex: Int32Array.from(found, ({ classIndex }) => classIndex),
  };
}

/** What suppression leaves, before it is fitted into the image. */
function best({ boxes, scores }: DenseOutput, { predict, categories }: ModelMetadata): Omit<Scored, "boxXyxy">[] {
  const candidates = Array.from(bestCandidates(scores, predict), (candidate) => {
    const location = Math.floor(candidate / categories.length);
    const candidateXyxy = boxes.subarray(4 * location, 4 * location + 4) as unknown as BoxXyxy;
    return { location, classIndex: candidate % categories.length, score: scores[candidate] as number, candidateXyxy };
  });
  const corners = new Float32Array(4 * candidates.length);
  for (const [at, { candidateXyxy }] of candidates.entries()) corners.set(candidateXyxy, 4 * at);
  const candidateScores = Float32Array.from(candidates, ({ score }) => score);
  const classes = Int32Array.from(candidates, ({ classIndex }) => classIndex);
  const kept = nms(corners, candidateScores, classes, predict.nms_iou, predict.max_detections);
  return kept.map((at) => candidates[at] as (typeof candidates)[number]);
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
function toImage([left, top, right, bottom]: BoxXyxy, input: Size, image: Size): BoxXyxy {
  const fit = fitSize(image, input);
  const x = (value: number) => Math.min(Math.max((value * image.widthPx) / fit.widthPx, 0), image.widthPx);
  const y = (value: number) => Math.min(Math.max((value * image.heightPx) / fit.heightPx, 0), image.heightPx);
  return [x(left), y(top), x(right), y(bottom)];
}
