/** What detections and ground truth are compared by: their boxes or their masks, and their areas. */
import { boxAreas, boxIous } from "./boxes.js";
import type { Grouped } from "./grouping.js";
import { hasBox, requireBoxes, type Source } from "./input/fields.js";
import type { GroundTruth } from "./input/ground-truth.js";
import type { Results } from "./input/results.js";
import { imageSizes, type Masks, masksOf, remembered } from "./mask-columns.js";
import { maskIous } from "./mask-iou.js";
import type { Evidence } from "./matching.js";
import type { Parameters } from "./options.js";

export interface Annotations {
  readonly gt: GroundTruth;
  readonly dt: Results;
  readonly gtGroups: Grouped;
  readonly dtGroups: Grouped;
  /** Of `dt`, for messages. */
  readonly source: Source;
}

/**
 * The first result decides for all, as in pycocotools: where it has a box, areas are those of boxes and a box stands in for a
 * missing mask; else areas are those of masks and a mask stands in for a missing box.
 * ANNOTATIONS_INVALID names a result that lacks what the first has.
 */
export function evidenceOf(annotations: Annotations, parameters: Parameters): Evidence {
  const { gt, dt, gtGroups, dtGroups, source } = annotations;
  const measuresMasks = dt.score.length > 0 && !hasBox(dt.boxXywh, 0) && dt.segmentations.has(0);
  if (!measuresMasks) requireBoxes(dt.boxXywh, source);
  const usesMasks = parameters.iouType === "segm";
  const sizes = imageSizes(gt.images, parameters.imageIds);
  const dtMasks = remembered(masksOf({ ...dt, image: dtGroups.image, sizes, source, boxesStandIn: !measuresMasks }));
  const gtMasks = masksOf({
    ...gt,
    boxXywh: gt.annotations.boxXywh,
    image: gtGroups.image,
    sizes,
    boxesStandIn: false,
  });
  const extents = measuresMasks ? extentsOf(dtMasks, dt.boxXywh, dtGroups.rows) : undefined;
  const { boxXywh, area, id, iscrowd } = gt.annotations;
  return {
    ious: usesMasks
      ? maskIous(dtMasks, gtMasks, iscrowd, parameters.axes.iouThresholds)
      : boxIous(extents?.boxXywh ?? dt.boxXywh, boxXywh, iscrowd),
    dtArea: extents?.area ?? boxAreas(dt.boxXywh),
    gtArea: area,
    gtId: id,
    iscrowd,
    warnings: () => [...gtMasks.warnings(), ...dtMasks.warnings()],
  };
}

interface Extents {
  /** By row; 0 for rows that are not evaluated. */
  readonly area: Float64Array;
  /** (rows, 4). As it was, but with the mask's where there was none. */
  readonly boxXywh: Float64Array;
}

function extentsOf(masks: Masks, boxes: Float64Array, rows: Int32Array): Extents {
  const boxXywh = boxes.slice();
  const area = new Float64Array(boxes.length / 4);
  for (const row of rows) {
    const outline = masks.outlineAt(row);
    area[row] = outline.area;
    if (!hasBox(boxes, row)) boxXywh.set(outline.box, 4 * row);
  }
  return { area, boxXywh };
}
