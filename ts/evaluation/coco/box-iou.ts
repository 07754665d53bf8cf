import type { DetectionColumns, GroundTruthColumns } from "./columns.js";
import type { PairwiseIou } from "./matching.js";

/**
 * IoU of every detection with every ground-truth box: (D, G). A crowd counts only the detection's own area as the union.
 * Operations are in pycocotools' order, so that results are equal to the last bit.
 */
export function boxIous(dt: DetectionColumns, gt: GroundTruthColumns): PairwiseIou {
  return (dtRows, gtRows) => boxIousOf(dt, dtRows, gt, gtRows);
}

function boxIousOf(dt: DetectionColumns, dtRows: Int32Array, gt: GroundTruthColumns, gtRows: Int32Array): Float64Array {
  const ious = new Float64Array(dtRows.length * gtRows.length);
  for (let g = 0; g < gtRows.length; g++) {
    const gtRow = gtRows[g] as number;
    const [gx, gy, gw, gh] = boxAt(gt.boxXywh, gtRow);
    const gtArea = gw * gh;
    const iscrowd = gt.iscrowd[gtRow] === 1;
    for (let d = 0; d < dtRows.length; d++) {
      const at = 4 * (dtRows[d] as number);
      const dx = dt.boxXywh[at] as number;
      const dy = dt.boxXywh[at + 1] as number;
      const dw = dt.boxXywh[at + 2] as number;
      const dh = dt.boxXywh[at + 3] as number;
      const width = Math.min(dw + dx, gw + gx) - Math.max(dx, gx);
      if (width <= 0) continue;
      const height = Math.min(dh + dy, gh + gy) - Math.max(dy, gy);
      if (height <= 0) continue;
      const intersection = width * height;
      const dtArea = dw * dh;
      ious[d * gtRows.length + g] = intersection / (iscrowd ? dtArea : dtArea + gtArea - intersection);
    }
  }
  return ious;
}

function boxAt(boxes: Float64Array, row: number): [number, number, number, number] {
  const at = 4 * row;
  return [boxes[at] as number, boxes[at + 1] as number, boxes[at + 2] as number, boxes[at + 3] as number];
}
