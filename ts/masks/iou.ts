/** Intersection over union of masks. */
import { type Outline, outlineOf } from "./outline.js";
import type { Rle } from "./rle.js";

/**
 * IoU in [0, 1] of each of `dt` with each of `gt`: (D, G), row-major. -1 where the images' sizes differ although the masks' boxes
 * overlap. Equal to pycocotools to the last bit, also in that two masks which have an empty run at the same pixel are compared
 * only up to there.
 *
 * @param iscrowd one for each of `gt`; a crowd counts only the area of `dt` as the union. Default: none are crowds.
 * @param lowest what is certainly below it may be given as 0, which is faster. Default: nothing is.
 */
export function iou(
  dt: readonly Rle[],
  gt: readonly Rle[],
  iscrowd: ArrayLike<boolean | number> = [],
  lowest = 0,
): Float64Array {
  const ious = new Float64Array(dt.length * gt.length);
  const targets = dt.length === 0 ? [] : gt.map(outlineOf);
  dt.forEach((rle, d) => {
    const detection = outlineOf(rle);
    targets.forEach((target, g) => {
      ious[d * gt.length + g] = iouOf(detection, target, Boolean(iscrowd[g]), lowest);
    });
  });
  return ious;
}

/** The IoU of two masks. Parameters as above. */
export function iouOf(dt: Outline, gt: Outline, iscrowd: boolean, lowest: number): number {
  const [left, top, boxWidth, boxHeight] = dt.box;
  const [gtLeft, gtTop, gtBoxWidth, gtBoxHeight] = gt.box;
  const width = Math.min(left + boxWidth, gtLeft + gtBoxWidth) - Math.max(left, gtLeft);
  if (width <= 0) return 0;
  const height = Math.min(top + boxHeight, gtTop + gtBoxHeight) - Math.max(top, gtTop);
  if (height <= 0) return 0;
  if (dt.width !== gt.width || dt.height !== gt.height) return -1;
  if (dt.hasEmptyRuns && gt.hasEmptyRuns) return iouUpToEmptyRun(dt, gt, iscrowd);
  const most = Math.min(dt.area, gt.area, width * height);
  if (ratio(most, dt, gt, iscrowd) < lowest) return 0;
  return ratio(sharedPixels(dt, gt), dt, gt, iscrowd);
}

function ratio(shared: number, dt: Outline, gt: Outline, iscrowd: boolean): number {
  return shared === 0 ? 0 : shared / (iscrowd ? dt.area : dt.area + gt.area - shared);
}

type Ends = Pick<Outline, "ends">;

function sharedPixels({ ends: a }: Ends, { ends: b }: Ends): number {
  let shared = 0;
  let atA = 1;
  let atB = 1;
  while (atA < a.length && atB < b.length) {
    const endA = a[atA] as number;
    const endB = b[atB] as number;
    const end = Math.min(endA, endB);
    const start = Math.max(a[atA - 1] as number, b[atB - 1] as number);
    if (end > start) shared += end - start;
    if (endA === end) atA += 2;
    else atB += 2;
  }
  return shared;
}

/** pycocotools stops counting where it finds both masks in an empty run. */
function iouUpToEmptyRun(dt: Outline, gt: Outline, iscrowd: boolean): number {
  const emptyInDt = new Set(emptyRuns(dt));
  const stop = emptyRuns(gt).find((position) => emptyInDt.has(position)) ?? dt.width * dt.height;
  const a = cutAfter(dt, stop);
  const b = cutAfter(gt, stop);
  const shared = sharedPixels(a, b);
  if (shared === 0) return 0;
  return shared / (iscrowd ? dt.area : sharedPixels(a, a) + sharedPixels(b, b) - shared);
}

/** Where empty runs are; the first run may be empty without being one of them. */
function emptyRuns({ ends }: Outline): number[] {
  return [...ends].filter((end, run) => run > 0 && ends[run - 1] === end);
}

function cutAfter({ ends }: Outline, position: number): Ends {
  return { ends: ends.filter((end) => end <= position) };
}
