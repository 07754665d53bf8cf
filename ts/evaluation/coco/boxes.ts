/** Areas and overlaps of boxes, with operations in pycocotools' order, so that they are equal to the last bit. */
import type { Group } from "./group.js";

/** Writes the IoU of every detection of a group with all its ground truth: (D, G). */
export type Ious = (group: Group, ious: Float64Array) => void;

/** Of (rows, 4) xywh. */
export function boxAreas(boxes: Float64Array): Float64Array {
  const areas = new Float64Array(boxes.length / 4);
  for (let row = 0; row < areas.length; row++) {
    areas[row] = (boxes[4 * row + 2] as number) * (boxes[4 * row + 3] as number);
  }
  return areas;
}

/**
 * A crowd counts only the detection's own area as the union.
 * @param dtBoxes (rows, 4), xywh.
 * @param gtBoxes (rows, 4), xywh.
 * @param iscrowd 0 or 1 for each of `gtBoxes`.
 */
export function boxIous(dtBoxes: Float64Array, gtBoxes: Float64Array, iscrowd: Float64Array): Ious {
  return ({ dtRows, dtStart, dtEnd, gtRows, gtStart, gtEnd }, ious) => {
    let at = 0;
    for (let d = dtStart; d < dtEnd; d++) {
      const dtBox = 4 * (dtRows[d] as number);
      for (let g = gtStart; g < gtEnd; g++) {
        const gtRow = gtRows[g] as number;
        ious[at++] = boxIou(dtBoxes, dtBox, gtBoxes, 4 * gtRow, iscrowd[gtRow] === 1);
      }
    }
  };
}

/** Boxes start at positions `d` and `g`. */
function boxIou(dt: Float64Array, d: number, gt: Float64Array, g: number, isCrowd: boolean): number {
  const dx = dt[d] as number;
  const gx = gt[g] as number;
  const dw = dt[d + 2] as number;
  const gw = gt[g + 2] as number;
  const width = Math.min(dw + dx, gw + gx) - Math.max(dx, gx);
  if (width <= 0) return 0;
  const dy = dt[d + 1] as number;
  const gy = gt[g + 1] as number;
  const dh = dt[d + 3] as number;
  const gh = gt[g + 3] as number;
  const height = Math.min(dh + dy, gh + gy) - Math.max(dy, gy);
  if (height <= 0) return 0;
  const intersection = width * height;
  const dtArea = dw * dh;
  return intersection / (isCrowd ? dtArea : dtArea + gw * gh - intersection);
}
