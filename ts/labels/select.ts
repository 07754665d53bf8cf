/** Predictions to pseudo labels. */
import type { ArtifactStore } from "../core/artifacts.js";
import { type BoxXyxy, clipXywh, toXywh, toXyxy } from "../core/boxes.js";
import type { Annotation, Category, Dataset, DatasetImage } from "../core/dataset.js";
import { CasslError } from "../core/errors.js";
import { nms } from "../core/nms.js";
import type { ArtifactRef } from "../gen/cassl/v1/artifact_service.js";
import { type ImagePredictions, readPredictions } from "./predictions.js";

/** Which predictions become pseudo labels. */
export interface SelectionPolicy {
  /** In [0, 1]; predictions below it become none. */
  readonly score_threshold: number;
  /** IoU above which the lower of two boxes is dropped. */
  readonly nms_iou: number;
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

/** `predictions` = `pseudo_labels` + everything in `dropped`. */
export interface SelectionStats {
  readonly images: number;
  readonly pseudo_labels: number;
  /** Images without any pseudo label. */
  readonly empty_images: number;
  readonly predictions: number;
  /** Mean score of the pseudo labels; 0 if there are none. */
  readonly mean_score: number;
  readonly dropped: DroppedPredictions;
}

export interface PseudoLabel extends Annotation {
  readonly score: number;
}

export interface ImageSelection {
  /** By descending score, inside the image. */
  readonly annotations: readonly PseudoLabel[];
  readonly dropped: DroppedPredictions;
}

/**
 * The pseudo labels of a whole dataset.
 * @param unlabeled whose images were predicted; its annotations, if any, are ignored.
 * @param categories the classes of the predictions.
 * @param raw a PredictionManifest.
 */
export async function selectPseudoLabels(
  unlabeled: Dataset,
  categories: readonly Category[],
  raw: ArtifactRef,
  policy: SelectionPolicy,
  artifacts: ArtifactStore,
): Promise<{ dataset: Dataset; stats: SelectionStats }> {
  const images: DatasetImage[] = [];
  const selections: ImageSelection[] = [];
  for await (const predictions of readPredictions(raw, unlabeled.images.length, artifacts)) {
    checkClasses(predictions, categories);
    const image = unlabeled.images[predictions.imageIndex] as DatasetImage;
    const selection = selectFromImage(predictions, image, policy);
    images.push({ ...image, annotations: selection.annotations });
    selections.push(selection);
  }
  return { dataset: { categories, images }, stats: summarize(selections) };
}

/**
 * The pseudo labels of one image. The policy's rules in their order: score threshold, clipping to the image and minimum
 * side, NMS within each class (one class: class-agnostic), the best `max_per_image`.
 */
export function selectFromImage(
  { boxXyxy, score, classIndex }: Pick<ImagePredictions, "boxXyxy" | "score" | "classIndex">,
  { width_px, height_px }: Pick<DatasetImage, "width_px" | "height_px">,
  policy: SelectionPolicy,
): ImageSelection {
  const candidates = Array.from(score, (value, index): PseudoLabel => {
    const corners = [...boxXyxy.subarray(4 * index, 4 * index + 4)] as unknown as BoxXyxy;
    const box = clipXywh(toXywh(corners), width_px, height_px);
    return {
      box_xywh: box,
      class_index: classIndex[index] as number,
      area: box[2] * box[3],
      iscrowd: false,
      score: value,
    };
  });
  const scored = candidates.filter(({ score }) => score >= policy.score_threshold);
  const visible = scored.filter((label) => isVisible(label, policy.min_side_px));
  const apart = suppress(visible, policy.nms_iou);
  const annotations = apart.slice(0, policy.max_per_image);
  return {
    annotations,
    dropped: {
      score: candidates.length - scored.length,
      min_side: scored.length - visible.length,
      nms: visible.length - apart.length,
      max_per_image: apart.length - annotations.length,
    },
  };
}

function isVisible({ box_xywh: [, , width, height] }: PseudoLabel, minSidePx: number): boolean {
  const side = Math.min(width, height);
  return side > 0 && side >= minSidePx;
}

function suppress(candidates: readonly PseudoLabel[], iouThreshold: number): PseudoLabel[] {
  const boxes = Float64Array.from(candidates.flatMap(({ box_xywh }) => toXyxy(box_xywh)));
  const scores = Float64Array.from(candidates, ({ score }) => score);
  const classes = Int32Array.from(candidates, ({ class_index }) => class_index);
  return nms(boxes, scores, classes, iouThreshold).map((index) => candidates[index] as PseudoLabel);
}

function checkClasses({ imageIndex, classIndex }: ImagePredictions, categories: readonly Category[]): void {
  const foreign = classIndex.find((index) => index >= categories.length);
  if (foreign === undefined) return;
  throw new CasslError(
    "FRAME_INVALID",
    `Image ${imageIndex} has a prediction of class ${foreign}, but the model has ${categories.length} classes.`,
    "Please report this with the version of the worker.",
  );
}

function summarize(selections: readonly ImageSelection[]): SelectionStats {
  const sum = (of: (selection: ImageSelection) => number): number =>
    selections.reduce((total, selection) => total + of(selection), 0);
  const dropped: DroppedPredictions = {
    score: sum((selection) => selection.dropped.score),
    min_side: sum((selection) => selection.dropped.min_side),
    nms: sum((selection) => selection.dropped.nms),
    max_per_image: sum((selection) => selection.dropped.max_per_image),
  };
  const labels = sum(({ annotations }) => annotations.length);
  const scores = sum(({ annotations }) => annotations.reduce((total, { score }) => total + score, 0));
  return {
    images: selections.length,
    pseudo_labels: labels,
    empty_images: selections.filter(({ annotations }) => annotations.length === 0).length,
    predictions: labels + dropped.score + dropped.min_side + dropped.nms + dropped.max_per_image,
    mean_score: labels === 0 ? 0 : scores / labels,
    dropped,
  };
}
