/** Checked columns to the result of an evaluation. */
import type { Curves } from "./accumulate.js";
import { evaluateColumns } from "./evaluate-columns.js";
import { imageId as imageField, invalidValue, type Source } from "./input/fields.js";
import type { GroundTruth } from "./input/ground-truth.js";
import type { Results } from "./input/results.js";
import type { Axes, Parameters } from "./options.js";
import { positionsOf } from "./positions.js";
import { type ClassSummary, type CocoSummary, summarize, summarizeClasses } from "./summarize.js";
import { warningsAbout } from "./warnings.js";

export interface CocoEvaluation extends Curves {
  readonly axes: Axes;
  readonly summary: CocoSummary;
  /** The twelve numbers of `summary`: AP AP50 AP75 APs APm APl AR1 AR10 AR100 ARs ARm ARl. */
  readonly stats: readonly number[];
  /** Empty with `useCats: false`. */
  readonly perClass: readonly ClassSummary[];
  /** What in the input makes the numbers other than they seem. */
  readonly warnings: readonly string[];
}

/** ANNOTATIONS_INVALID for a result whose image is not in the ground truth. @param source of the results, for messages. */
export function evaluate(gt: GroundTruth, results: Results, parameters: Parameters, source: Source): CocoEvaluation {
  const { axes, useCats } = parameters;
  const dtImages = imagesOf(results, gt, parameters, source);
  const { curves, warnings } = evaluateColumns({ gt, dt: results, dtImages, source }, parameters);
  const summary = summarize(curves, axes);
  return {
    ...curves,
    axes,
    summary,
    stats: Object.values(summary) as number[],
    perClass: useCats ? summarizeClasses(curves, axes, gt.categories) : [],
    warnings: [...warningsAbout(gt, results), ...warnings],
  };
}

/** Positions in `Parameters.imageIds`; -1 for images that are not evaluated. */
function imagesOf({ imageId }: Results, gt: GroundTruth, { imageIds }: Parameters, source: Source): Int32Array {
  const images = positionsOf(imageId, imageIds);
  const known = new Set(gt.images.id);
  if (!images.includes(-1) && imageIds.every((id) => known.has(id))) return images;
  imageId.forEach((id, row) => {
    if (!known.has(id)) throw invalidValue(imageField, String(id), row, source, "no image of the ground truth");
  });
  return images;
}
