/** How good a pseudo-labeler is on images that it has not trained on, and which of its scores to believe. */
import type { ArtifactStore } from "../core/artifacts.js";
import type { Dataset, DatasetImage } from "../core/dataset.js";
import { evaluateCoco, IGNORED, type MatchedEvaluation, TRUE_POSITIVE } from "../evaluation/coco/index.js";
import { toCocoGroundTruth } from "../evaluation/dataset-format.js";
import { calibrate } from "../evaluation/diagnosis/calibration.js";
import { outcomesAt, thresholdIndex } from "../evaluation/diagnosis/matched.js";
import { byDescendingScore } from "../evaluation/diagnosis/ordering.js";
import type { ArtifactRef } from "../gen/cassl/v1/artifact_service.js";
import { chooseThreshold, type ThresholdChoice, type ThresholdPolicy } from "../labels/choose-threshold.js";
import { readPredictions } from "../labels/predictions.js";
import { selectFromImage } from "../labels/select.js";
import type { SelectionPolicy } from "../labels/select-rows.js";
import type { JudgedDetections } from "../labels/threshold-curve.js";

/** As stored in result.json. */
export interface LabelerQuality {
  readonly threshold: ThresholdChoice;
  /** Mean recall of all predictions over IoU 0.5 to 0.95. */
  readonly average_recall: number;
  /** Expected calibration error of all predictions at IoU 0.5; -1 without predictions. */
  readonly calibration_error: number;
}

export interface JudgeOptions {
  /** Pseudo labels that an image may have. */
  readonly mostPerImage: number;
  readonly seed: number;
  /** Whether images of the held-out series were trained on. @default false */
  readonly isTorn?: boolean;
}

const IOU = 0.5;
const TORN = "Held-out images are of series that were trained on too: precision and recall are too good to be true.";

/**
 * Matches are those of the COCO metric, within the classes that the pseudo-labeler has: for the class-agnostic arm, without classes.
 * @param detected the held-out images with what would become pseudo labels if no score were too low.
 * DATASET_EMPTY as in `chooseThreshold`.
 */
export async function judgeLabeler(
  heldOut: Dataset,
  detected: Dataset,
  policy: ThresholdPolicy,
  { mostPerImage, seed, isTorn = false }: JudgeOptions,
): Promise<LabelerQuality> {
  const maxDets = [1, 10, Math.max(100, mostPerImage)];
  const evaluation = await evaluateCoco(toCocoGroundTruth(heldOut), toResults(detected), { maxDets, matches: true });
  const threshold = chooseThreshold(judgedDetections(evaluation), policy, seed);
  return {
    threshold: isTorn ? { ...threshold, warnings: [...threshold.warnings, TORN] } : threshold,
    average_recall: evaluation.summary.ar100,
    calibration_error: calibrate(evaluation.matches, { iou: IOU }).ece,
  };
}

/** Detections that lie in a crowd are neither right nor wrong, and left out. */
function judgedDetections({ matches }: MatchedEvaluation): JudgedDetections {
  const { detections, groundTruth, imageIds } = matches;
  const outcomes = outcomesAt(matches, thresholdIndex(matches, IOU));
  const rows = byDescendingScore(detections.score).filter((row) => outcomes[row] !== IGNORED);
  const objectsPerImage = new Int32Array(imageIds.length);
  groundTruth.image.forEach((image, row) => {
    if (groundTruth.ignored[row] === 0) objectsPerImage[image] = (objectsPerImage[image] as number) + 1;
  });
  return {
    score: Float64Array.from(rows, (row) => detections.score[row] as number),
    isRight: Uint8Array.from(rows, (row) => Number(outcomes[row] === TRUE_POSITIVE)),
    image: Int32Array.from(rows, (row) => detections.image[row] as number),
    objectsPerImage,
  };
}

/** The held-out images with what would become pseudo labels if no score were too low. @param raw a PredictionManifest. */
export async function everyDetection(
  raw: ArtifactRef,
  heldOut: Dataset,
  rules: Omit<SelectionPolicy, "score_threshold">,
  artifacts: ArtifactStore,
): Promise<Dataset> {
  const images: DatasetImage[] = [];
  for await (const predictions of readPredictions(raw, heldOut.images.length, artifacts)) {
    const image = heldOut.images[predictions.imageIndex] as DatasetImage;
    images.push({
      ...image,
      annotations: selectFromImage(predictions, image, { ...rules, score_threshold: 0 }).annotations,
    });
  }
  return { categories: heldOut.categories, images };
}

function toResults({ images, categories }: Dataset) {
  return images.flatMap((image) =>
    image.annotations.map(({ box_xywh, class_index, score = 0 }) => ({
      image_id: image.id,
      category_id: categories[class_index]?.id as number,
      bbox: box_xywh,
      score,
    })),
  );
}
