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
  return (group, ious) => writeIous(group, dtBoxes, gtBoxes, iscrowd, ious);
}

function writeIous(
  { dtRows, dtStart, dtEnd, gtRows, gtStart, gtEnd }: Group,
  dt: Float64Array,
  gt: Float64Array,
  iscrowd: Float64Array,
  ious: Float64Array,
): void {
  let cell = 0;
  for (let d = dtStart; d < dtEnd; d++) {
    const at = 4 * (dtRows[d] as number);
    const x = dt[at] as number;
    const y = dt[at + 1] as number;
    const w = dt[at + 2] as number;
    const h = dt[at + 3] as number;
    for (let g = gtStart; g < gtEnd; g++) {
      const row = gtRows[g] as number;
      const gx = gt[4 * row] as number;
      const gy = gt[4 * row + 1] as number;
      const gw = gt[4 * row + 2] as number;
      const gh = gt[4 * row + 3] as number;
      const width = Math.min(w + x, gw + gx) - Math.max(x, gx);
      const height = Math.min(h + y, gh + gy) - Math.max(y, gy);
      if (width > 0 && height > 0) {
        const intersection = width * height;
        ious[cell] = intersection / (iscrowd[row] === 1 ? w * h : w * h + gw * gh - intersection);
      } else ious[cell] = 0;
      cell++;
    }
  }
}
