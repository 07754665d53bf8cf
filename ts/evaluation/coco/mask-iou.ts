import { iouOf } from "../../masks/iou.js";
import type { Outline } from "../../masks/outline.js";
import type { Masks } from "./mask-columns.js";
import type { PairwiseIou } from "./matching.js";

/**
 * IoU of masks, equal to pycocotools to the last bit wherever it reaches a threshold; what is certainly below all of them is 0.
 * @param iscrowd 1 for each ground-truth row that is a crowd.
 */
export function maskIous(dt: Masks, gt: Masks, iscrowd: Uint8Array, iouThresholds: Float64Array): PairwiseIou {
  const lowest = Math.min(1 - 1e-10, ...iouThresholds);
  return (dtRows, gtRows) => {
    const ious = new Float64Array(dtRows.length * gtRows.length);
    if (ious.length === 0) return ious;
    const targets = Array.from(gtRows, (row) => keep(gt.outlineAt(row)));
    dtRows.forEach((row, d) => {
      const detection = dt.outlineAt(row);
      targets.forEach((target, g) => {
        ious[d * targets.length + g] = iouOf(detection, target, iscrowd[gtRows[g] as number] === 1, lowest);
      });
    });
    return ious;
  };
}

function keep(outline: Outline): Outline {
  return { ...outline, ends: outline.ends.slice(0, outline.runs) };
}
