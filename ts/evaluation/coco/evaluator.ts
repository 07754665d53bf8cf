/** Evaluation of detections as they come, image by image. */
import { CasslError } from "../../core/errors.js";
import { type CocoEvaluation, evaluate } from "./evaluation.js";
import { resultFields } from "./input/fields.js";
import { type GroundTruthInput, loadGroundTruth } from "./input/ground-truth.js";
import { type DetectionsInput, loadDetections } from "./input/results.js";
import { segmentationsInMemory } from "./input/segmentations.js";
import { append, columnsOf, newTable } from "./input/table.js";
import { type EvaluateCocoOptions, resolveOptions } from "./options.js";

export interface CocoEvaluator {
  /** Adds detections of an image, which may be added to again. ANNOTATIONS_INVALID if a value or the image is wrong. */
  add(imageId: number, detections: DetectionsInput): void;
  /** Evaluates everything added by now. */
  evaluate(): CocoEvaluation;
}

/** Errors and meaning of parameters are those of `evaluateCoco`. */
export async function createEvaluator(gt: GroundTruthInput, options: EvaluateCocoOptions = {}): Promise<CocoEvaluator> {
  const groundTruth = loadGroundTruth(gt, options);
  const parameters = resolveOptions(groundTruth, options);
  const known = new Set(groundTruth.images.id);
  const table = newTable(resultFields);
  const segmentations: unknown[] = [];
  return {
    add(imageId, detections) {
      if (!known.has(imageId)) {
        const message = `Detections were added to the image ${imageId}, which is not in the ground truth.`;
        throw new CasslError("ANNOTATIONS_INVALID", message, "Add detections of the images of the ground truth only.");
      }
      const added = loadDetections(detections, { record: `detection of the image ${imageId}`, file: undefined });
      append(table, { imageId: new Float64Array(added.columns.score.length).fill(imageId), ...added.columns });
      for (const segmentation of added.segmentations) segmentations.push(segmentation);
    },
    evaluate() {
      const results = { ...columnsOf(table), segmentations: segmentationsInMemory((row) => segmentations[row]) };
      return evaluate(groundTruth, results, parameters, { record: "detection", file: undefined });
    },
  };
}
