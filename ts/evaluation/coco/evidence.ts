/** What detections and ground truth are compared by: their boxes or their masks, and their areas. */
import { boxAreas, boxIous } from "./boxes.js";
import { hasBox, requireBoxes, type Source } from "./input/fields.js";
import type { GroundTruth } from "./input/ground-truth.js";
import type { Results } from "./input/results.js";
import { imageSizes, type Masks, masksOf } from "./mask-columns.js";
import { maskIous } from "./mask-iou.js";
import { maskKernel } from "./mask-kernel.js";
import type { Evidence } from "./matching.js";
import type { Parameters } from "./options.js";
import { positionsOf } from "./positions.js";

export interface Annotations {
  readonly gt: GroundTruth;
  readonly dt: Results;
  /** Position of each result's image in `Parameters.imageIds`. */
  readonly dtImages: Int32Array;
  /** The results that are evaluated. */
  readonly dtRows: Int32Array;
  /** Of the results, for messages. */
  readonly source: Source;
}

/**
 * The first result decides for all, as in pycocotools: where it has a box, areas are those of boxes and a box stands in for a
 * missing mask; else areas are those of masks and a mask stands in for a missing box.
 * ANNOTATIONS_INVALID names a result that lacks what the first has.
 */
export function evidenceOf(annotations: Annotations, parameters: Parameters): Evidence {
  const { gt, dt, source } = annotations;
  const measuresMasks = dt.score.length > 0 && !hasBox(dt.boxXywh, 0) && dt.segmentations.has(0);
  if (!measuresMasks) requireBoxes(dt.boxXywh, source);
  if (measuresMasks || parameters.iouType === "segm") return maskEvidence(annotations, parameters, measuresMasks);
  return {
    ious: boxIous(dt.boxXywh, gt.annotations.boxXywh, gt.annotations.iscrowd),
    gt: gt.annotations,
    dtArea: boxAreas(dt.boxXywh),
    dtScore: dt.score,
    warnings: () => [],
  };
}

function maskEvidence(annotations: Annotations, parameters: Parameters, measuresMasks: boolean): Evidence {
  const { gt, dt, dtImages, dtRows, source } = annotations;
  const { boxXywh, iscrowd, imageId } = gt.annotations;
  const { iouType, imageIds, axes, matches } = parameters;
  const sizes = imageSizes(gt.images, imageIds);
  const gtImages = positionsOf(imageId, imageIds);
  const gtMasks = masksOf({ segmentations: gt.segmentations, images: gtImages, sizes, source: gt.source });
  const standIns = measuresMasks ? undefined : dt.boxXywh;
  const dtMasks = masksOf({ segmentations: dt.segmentations, images: dtImages, sizes, source, boxXywh: standIns });
  return {
    ious:
      iouType === "segm"
        ? maskIous(dtMasks, gtMasks, iscrowd, matches ? [0] : axes.iouThresholds)
        : boxIous(boxesOrExtents(dt.boxXywh, dtMasks, dtRows), boxXywh, iscrowd),
    gt: gt.annotations,
    dtArea: measuresMasks ? maskAreas(dtMasks, dtRows, dt.score.length) : boxAreas(dt.boxXywh),
    dtScore: dt.score,
    warnings: () => [...gtMasks.warnings(), ...dtMasks.warnings()],
  };
}

/** By row number; 0 for rows that are not evaluated. */
function maskAreas(masks: Masks, evaluated: Int32Array, rows: number): Float64Array {
  const areas = new Float64Array(rows);
  const { areaOf } = maskKernel();
  for (const row of evaluated) areas[row] = areaOf(masks.maskAt(row));
  return areas;
}

/** Boxes stay as they are where there are any. */
function boxesOrExtents(boxes: Float64Array, masks: Masks, evaluated: Int32Array): Float64Array {
  const filled = boxes.slice();
  const { boxOf } = maskKernel();
  for (const row of evaluated) if (!hasBox(boxes, row)) filled.set(boxOf(masks.maskAt(row)), 4 * row);
  return filled;
}
