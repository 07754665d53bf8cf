/** Intersection over union of masks. */
import { areaOf, bottomOf, endsOf, hasEmptyRuns, heightOf, leftOf, rightOf, runsOf, topOf, widthOf } from "./mask";
import { integerAt } from "./memory";

/** The IoU of a detection and ground truth, as `iouOf` of ts/masks/iou.ts gives it. @param isCrowd 0 or 1. */
export function iou(dt: usize, gt: usize, isCrowd: i32, lowest: f64): f64 {
  const width = min(rightOf(dt), rightOf(gt)) - max(leftOf(dt), leftOf(gt));
  if (width <= 0) return 0;
  const height = min(bottomOf(dt), bottomOf(gt)) - max(topOf(dt), topOf(gt));
  if (height <= 0) return 0;
  if (widthOf(dt) !== widthOf(gt) || heightOf(dt) !== heightOf(gt)) return -1;
  if (hasEmptyRuns(dt) && hasEmptyRuns(gt)) return iouUpToEmptyRun(dt, gt, isCrowd);
  const smaller = min(areaOf(dt), areaOf(gt));
  // Sides that wrapped are of masks without pixels.
  const most = smaller === 0 ? 0 : min(i64(smaller), width * height);
  if (ratio(i32(most), areaOf(dt), areaOf(gt), isCrowd) < lowest) return 0;
  return ratio(sharedPixels(dt, runsOf(dt), gt, runsOf(gt)), areaOf(dt), areaOf(gt), isCrowd);
}

function ratio(shared: i32, dt: i32, gt: i32, isCrowd: i32): f64 {
  return shared === 0 ? 0 : f64(shared) / (isCrowd === 1 ? f64(dt) : f64(dt) + f64(gt) - f64(shared));
}

/** Of the first runs of each. */
function sharedPixels(a: usize, runsOfA: i32, b: usize, runsOfB: i32): i32 {
  const stopA = endsOf(a) + (usize(runsOfA) << 2);
  const stopB = endsOf(b) + (usize(runsOfB) << 2);
  let atA = endsOf(a) + 4;
  let atB = endsOf(b) + 4;
  let shared = 0;
  while (atA < stopA && atB < stopB) {
    const endA = load<i32>(atA);
    const endB = load<i32>(atB);
    const end = min(endA, endB);
    const start = max(load<i32>(atA - 4), load<i32>(atB - 4));
    if (end > start) shared += end - start;
    if (endA === end) atA += 8;
    else atB += 8;
  }
  return shared;
}

/** pycocotools stops counting where it finds both masks in an empty run. */
function iouUpToEmptyRun(dt: usize, gt: usize, isCrowd: i32): f64 {
  const stop = commonEmptyRun(dt, gt);
  const runsOfDt = runsUpTo(dt, stop);
  const runsOfGt = runsUpTo(gt, stop);
  const shared = sharedPixels(dt, runsOfDt, gt, runsOfGt);
  if (shared === 0) return 0;
  const either = sharedPixels(dt, runsOfDt, dt, runsOfDt) + sharedPixels(gt, runsOfGt, gt, runsOfGt) - shared;
  return f64(shared) / f64(isCrowd === 1 ? areaOf(dt) : either);
}

/** The first position at which both masks have an empty run, other than their first; else the number of pixels. */
function commonEmptyRun(a: usize, b: usize): i32 {
  let run = 1;
  for (let position = nextEmptyRun(a, -1); position >= 0; position = nextEmptyRun(a, position)) {
    while (run < runsOf(b) && integerAt(endsOf(b), run) < position) run++;
    for (let at = run; at < runsOf(b) && integerAt(endsOf(b), at) === position; at++) {
      if (integerAt(endsOf(b), at - 1) === position) return position;
    }
  }
  return widthOf(a) * heightOf(a);
}

/** The next position after one at which a mask has an empty run; -1 if there is none. */
function nextEmptyRun(mask: usize, after: i32): i32 {
  const ends = endsOf(mask);
  for (let run = 1; run < runsOf(mask); run++) {
    const end = integerAt(ends, run);
    if (end > after && integerAt(ends, run - 1) === end) return end;
  }
  return -1;
}

function runsUpTo(mask: usize, position: i32): i32 {
  let runs = 0;
  while (runs < runsOf(mask) && integerAt(endsOf(mask), runs) <= position) runs++;
  return runs;
}
