/** Annotations as columns: one typed array a field, one row an annotation, ids replaced by positions in the parameters' lists. */
import { type CocoAnnotation, type CocoGroundTruth, type CocoResults, invalidField, numberIn } from "./coco-format.js";
import { areMeasuredByMask, hasBox, type Masks } from "./mask-columns.js";
import type { Parameters } from "./options.js";

export interface BoxColumns {
  /** Into `Parameters.imageIds`; -1: not evaluated. */
  readonly image: Int32Array;
  /** Into `Parameters.categoryIds`; -1: not evaluated. */
  readonly category: Int32Array;
  /** (rows, 4), absolute px. */
  readonly boxXywh: Float64Array;
  /** Square px. */
  readonly area: Float64Array;
}

export interface GroundTruthColumns extends BoxColumns {
  readonly id: Float64Array;
  readonly iscrowd: Uint8Array;
}

export interface DetectionColumns extends BoxColumns {
  readonly score: Float64Array;
}

/** ANNOTATIONS_INVALID names the annotation and its field. */
export function groundTruthColumns(gt: CocoGroundTruth, parameters: Parameters): GroundTruthColumns {
  const name = "ground truth annotation";
  const boxes = boxColumns(gt.annotations, name, parameters, parameters.iouType === "bbox");
  const count = gt.annotations.length;
  const columns = { ...boxes, id: new Float64Array(count), iscrowd: new Uint8Array(count) };
  gt.annotations.forEach((annotation, row) => {
    columns.id[row] = numberIn(annotation, "id", name, row);
    columns.area[row] = numberIn(annotation, "area", name, row);
    columns.iscrowd[row] = annotation.iscrowd ? 1 : 0;
  });
  return columns;
}

/** ANNOTATIONS_INVALID names the result and its field, also where a result's image is not in the ground truth. */
export function detectionColumns(
  dt: CocoResults,
  gt: CocoGroundTruth,
  parameters: Parameters,
  masks: Masks,
): DetectionColumns {
  const name = "result";
  const known = new Set(gt.images.map((image) => image.id));
  const measuresMasks = areMeasuredByMask(dt);
  const boxes = boxColumns(dt, name, parameters, !measuresMasks);
  const columns = { ...boxes, score: new Float64Array(dt.length) };
  dt.forEach((result, row) => {
    if (!known.has(result.image_id)) {
      throw invalidField(name, row, "image_id", result.image_id, "no image of the ground truth");
    }
    if (typeof result.score !== "number") throw invalidField(name, row, "score", result.score, "not a number");
    columns.score[row] = result.score;
    if (!measuresMasks) {
      columns.area[row] = (columns.boxXywh[4 * row + 2] as number) * (columns.boxXywh[4 * row + 3] as number);
    } else if (isEvaluated(columns, row)) {
      const { area, box } = masks.outlineAt(row);
      columns.area[row] = area;
      if (result.bbox === undefined) columns.boxXywh.set(box, 4 * row);
    }
  });
  return columns;
}

export function isEvaluated({ image, category }: BoxColumns, row: number): boolean {
  return (image[row] as number) >= 0 && (category[row] as number) >= 0;
}

type Boxed = CocoAnnotation | CocoResults[number];

/** @param needsBoxes whether each annotation must have a box. */
function boxColumns(
  annotations: readonly Boxed[],
  name: string,
  { imageIds, categoryIds }: Parameters,
  needsBoxes: boolean,
): BoxColumns {
  const imageSlots = new Map(imageIds.map((id, slot) => [id, slot]));
  const categorySlots = new Map(categoryIds.map((id, slot) => [id, slot]));
  const count = annotations.length;
  const columns: BoxColumns = {
    image: new Int32Array(count),
    category: new Int32Array(count),
    boxXywh: new Float64Array(4 * count),
    area: new Float64Array(count),
  };
  annotations.forEach((annotation, row) => {
    columns.image[row] = imageSlots.get(numberIn(annotation, "image_id", name, row)) ?? -1;
    columns.category[row] = categorySlots.get(numberIn(annotation, "category_id", name, row)) ?? -1;
    if (needsBoxes || hasBox(annotation)) columns.boxXywh.set(boxIn(annotation, name, row), 4 * row);
  });
  return columns;
}

function boxIn({ bbox }: Boxed, name: string, row: number): readonly number[] {
  if (!Array.isArray(bbox) || bbox.length !== 4 || !bbox.every(Number.isFinite)) {
    throw invalidField(name, row, "bbox", bbox, "not a box [x, y, width, height]");
  }
  return bbox as readonly number[];
}
