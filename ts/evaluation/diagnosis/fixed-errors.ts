/** An evaluation at one IoU threshold with some of its errors fixed, as TIDE fixes them. */

import { FALSE_POSITIVE, IGNORED, TRUE_POSITIVE } from "../coco/match-tables.js";
import type { CocoMatches } from "../coco/matches.js";
import type { Axes } from "../coco/options.js";
import { meanPrecision, type Outcomes, samplePrecisions } from "./average-precision.js";
import { type DetectionErrors, type ErrorKind, falsePositiveKinds } from "./errors.js";

/** Outcomes at one threshold, and how much ground truth of each class is to be found: (K,). */
export interface Fixable extends Outcomes {
  readonly positives: Int32Array;
}

/**
 * A detection of a wrong class or place becomes right if its object is not found otherwise and it is the best-scored one of
 * that object; every other false detection is removed, and so is missed ground truth.
 */
export function fixErrors(original: Fixable, matches: CocoMatches, errors: DetectionErrors, kind: ErrorKind): Fixable {
  if (kind === "missed") return withoutGroundTruth(original, matches, errors.isMissed);
  const { detections, groundTruth } = matches;
  const fixed = { ...original, category: original.category.slice(), outcome: original.outcome.slice() };
  const best = bestOfTargets(detections.score, errors);
  const index = falsePositiveKinds.indexOf(kind);
  errors.kind.forEach((other, d) => {
    if (other !== index) return;
    const target = errors.target[d] as number;
    const isFixed = target >= 0 && best[target] === d && errors.isFound[target] === 0;
    fixed.outcome[d] = isFixed ? TRUE_POSITIVE : IGNORED;
    if (isFixed) fixed.category[d] = groundTruth.category[target] as number;
  });
  return fixed;
}

export function withoutFalsePositives(original: Fixable): Fixable {
  return { ...original, outcome: original.outcome.map((outcome) => (outcome === FALSE_POSITIVE ? IGNORED : outcome)) };
}

/** @param isRemoved (G,). 1: no longer to be found. */
export function withoutGroundTruth(original: Fixable, { groundTruth }: CocoMatches, isRemoved: Uint8Array): Fixable {
  const positives = original.positives.slice();
  groundTruth.category.forEach((k, row) => {
    positives[k] = (positives[k] as number) - (isRemoved[row] as number);
  });
  return { ...original, positives };
}

/**
 * AP over the classes that have ground truth in `original`. One that has lost the last of it counts 0 while it has detections,
 * and leaves the mean with them, as in tidecv.
 */
export function averagePrecisionOf(fixed: Fixable, original: Fixable, axes: Axes): number {
  const precisions = samplePrecisions(fixed, fixed.positives, axes);
  const classes = fixed.positives.length;
  const hasDetections = new Uint8Array(classes);
  fixed.category.forEach((k, d) => {
    if (fixed.outcome[d] !== IGNORED) hasDetections[k] = 1;
  });
  fixed.positives.forEach((count, k) => {
    if (count > 0 || original.positives[k] === 0 || hasDetections[k] === 0) return;
    for (let cell = k; cell < precisions.length; cell += classes) precisions[cell] = 0;
  });
  return meanPrecision(precisions);
}

/** (G,). The best-scored detection that has each ground truth as its target. */
function bestOfTargets(score: Float64Array, { target, isFound }: DetectionErrors): Int32Array {
  const best = new Int32Array(isFound.length).fill(-1);
  target.forEach((row, d) => {
    if (row < 0) return;
    const held = best[row] as number;
    if (held < 0 || (score[d] as number) > (score[held] as number)) best[row] = d;
  });
  return best;
}
