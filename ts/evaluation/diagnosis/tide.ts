/** How much AP each kind of error costs: TIDE, Bolya et al., ECCV 2020, section 2.3. */

import { FALSE_POSITIVE } from "../coco/match-tables.js";
import type { CocoMatches } from "../coco/matches.js";
import type { Axes } from "../coco/options.js";
import {
  classifyErrors,
  type DetectionErrors,
  type ErrorKind,
  type ErrorOptions,
  errorKinds,
  falsePositiveKinds,
} from "./errors.js";
import {
  averagePrecisionOf,
  type Fixable,
  fixErrors,
  withoutFalsePositives,
  withoutGroundTruth,
} from "./fixed-errors.js";
import { countPositives, outcomesAt, thresholdIndex } from "./matched.js";
import { byDescendingScore } from "./ordering.js";

export interface ErrorCost {
  readonly count: number;
  /** How much higher the AP would be without these errors, in [0, 1]. */
  readonly apGained: number;
}

export interface ErrorSplit {
  /** At the one IoU threshold. In [0, 1]; -1 without ground truth, and then nothing is gained. */
  readonly ap: number;
  /** Each with the errors of this kind fixed and all others left: the gains do not add up to 1 - ap. */
  readonly kinds: Readonly<Record<ErrorKind, ErrorCost>>;
  /** All false detections: perfect precision. */
  readonly falsePositives: ErrorCost;
  /** All ground truth that is not found: perfect recall. */
  readonly falseNegatives: ErrorCost;
}

export function splitErrors(matches: CocoMatches, options: Omit<ErrorOptions, "minScore"> = {}): ErrorSplit {
  const t = thresholdIndex(matches, options.iou ?? 0.5);
  const axes: Axes = { ...matches.axes, iouThresholds: matches.axes.iouThresholds.slice(t, t + 1) };
  const errors = classifyErrors(matches, options);
  const original = fixableAt(matches, t);
  const notFound = matches.groundTruth.ignored.map(
    (ignored, row) => +(ignored + (errors.isFound[row] as number) === 0),
  );
  const ap = averagePrecisionOf(original, original, axes);
  const cost = (count: number, fixed: Fixable): ErrorCost => ({
    count,
    // Rounding alone makes it less than nothing.
    apGained: ap < 0 ? 0 : Math.max(averagePrecisionOf(fixed, original, axes) - ap, 0),
  });
  const kinds = errorKinds.map((kind) => {
    return [kind, cost(countErrors(errors, kind), fixErrors(original, matches, errors, kind))] as const;
  });
  return {
    ap,
    kinds: Object.fromEntries(kinds) as Record<ErrorKind, ErrorCost>,
    falsePositives: cost(countOf(original.outcome, FALSE_POSITIVE), withoutFalsePositives(original)),
    falseNegatives: cost(countOf(notFound, 1), withoutGroundTruth(original, matches, notFound)),
  };
}

function fixableAt(matches: CocoMatches, t: number): Fixable {
  const { category, score } = matches.detections;
  const order = byDescendingScore(score);
  return { category, order, outcome: outcomesAt(matches, t), positives: countPositives(matches) };
}

function countErrors({ kind, isMissed }: DetectionErrors, wanted: ErrorKind): number {
  return wanted === "missed" ? countOf(isMissed, 1) : countOf(kind, falsePositiveKinds.indexOf(wanted));
}

function countOf(values: Iterable<number>, wanted: number): number {
  let count = 0;
  for (const value of values) if (value === wanted) count++;
  return count;
}
