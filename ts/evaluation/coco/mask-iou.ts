import type { Ious } from "./boxes.js";
import type { Masks } from "./mask-columns.js";
import { type Mask, maskKernel } from "./mask-kernel.js";

/**
 * Equal to pycocotools to the last bit where an IoU reaches a threshold; what is certainly below all of them is 0.
 * @param iscrowd 0 or 1 for each ground-truth row; a crowd counts only the detection's own area as the union.
 */
export function maskIous(dt: Masks, gt: Masks, iscrowd: Float64Array, iouThresholds: Iterable<number>): Ious {
  const lowest = Math.min(1 - 1e-10, ...iouThresholds);
  const kernel = maskKernel();
  return ({ dtRows, dtStart, dtEnd, gtRows, gtStart, gtEnd }, ious) => {
    kernel.clear();
    const targets: Mask[] = [];
    for (let g = gtStart; g < gtEnd; g++) {
      const target = gt.maskAt(gtRows[g] as number);
      kernel.keep(target);
      targets.push(target);
    }
    let at = 0;
    for (let d = dtStart; d < dtEnd; d++) {
      const detection = dt.maskAt(dtRows[d] as number);
      for (let g = 0; g < targets.length; g++) {
        const isCrowd = iscrowd[gtRows[gtStart + g] as number] === 1;
        ious[at++] = kernel.iou(detection, targets[g] as Mask, isCrowd, lowest);
      }
    }
  };
}
