/** The pseudo labels of one image, for those who have it in memory; whole datasets: pseudo-labels.ts. */
import { type BoxXyxy, toXywh } from "../core/boxes.js";
import type { Annotation, DatasetImage } from "../core/dataset.js";
import type { ImagePredictions } from "./predictions.js";
import { type DroppedPredictions, type SelectionPolicy, selectRows } from "./select-rows.js";
import type { StoredBoxes } from "./store.js";

export interface PseudoLabel extends Annotation {
  readonly score: number;
}

export interface ImageSelection {
  /** By descending score, inside the image. */
  readonly annotations: readonly PseudoLabel[];
  readonly dropped: DroppedPredictions;
}

/**
 * The pseudo labels of one image: boxes are clipped to it, then the rules of the policy apply in their order: score threshold,
 * minimum side, NMS within each class (one class: class-agnostic), the best `max_per_image`. Masks stay as they are.
 */
export function selectFromImage(
  { boxXyxy, score, classIndex, masks }: Omit<ImagePredictions, "imageIndex">,
  { width_px, height_px }: Pick<DatasetImage, "width_px" | "height_px">,
  policy: SelectionPolicy,
): ImageSelection {
  const clipped = (side: 0 | 1 | 2 | 3) =>
    Float32Array.from(score, (_, row) => {
      const limit = side % 2 === 0 ? width_px : height_px;
      return Math.min(Math.max(boxXyxy[4 * row + side] as number, 0), limit);
    });
  const boxes = {
    image: new Int32Array(score.length),
    x0: clipped(0),
    y0: clipped(1),
    x1: clipped(2),
    y1: clipped(3),
    score: Float32Array.from(score),
    class: Int32Array.from(classIndex),
    ...(masks === undefined ? {} : { mask: masks }),
  };
  const { rows, dropped } = selectRows(boxes, policy);
  return { annotations: Array.from(rows, (row) => annotationAt(boxes, row)), dropped };
}

function annotationAt({ x0, y0, x1, y1, score, class: label, mask: masks }: StoredBoxes, row: number): PseudoLabel {
  const box_xywh = toXywh([x0[row], y0[row], x1[row], y1[row]] as unknown as BoxXyxy);
  const area = box_xywh[2] * box_xywh[3];
  const mask = masks?.[row] ?? undefined;
  const plain = { box_xywh, class_index: label[row] as number, area, iscrowd: false, score: score[row] as number };
  return mask === undefined ? plain : { ...plain, mask };
}
