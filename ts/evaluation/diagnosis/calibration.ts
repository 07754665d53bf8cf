/** Whether a score is the probability of being right: Guo et al., ICML 2017, with precision in the place of accuracy. */
import { CasslError } from "../../core/errors.js";
import { IGNORED, TRUE_POSITIVE } from "../coco/match-tables.js";
import type { CocoMatches } from "../coco/matches.js";
import { outcomesAt, thresholdIndex } from "./matched.js";

export interface ReliabilityBin {
  /** Scores in (from, to], the first bin also 0. */
  readonly from: number;
  readonly to: number;
  readonly count: number;
  /** 0 in an empty bin. */
  readonly meanScore: number;
  /** Share that is right; 0 in an empty bin. */
  readonly precision: number;
}

export interface Calibration {
  /** Expected calibration error: the mean over detections of |score - precision| of their bin; -1 without detections. */
  readonly ece: number;
  /** Maximum calibration error: the largest |score - precision| of a bin; -1 without detections. */
  readonly mce: number;
  readonly bins: readonly ReliabilityBin[];
  /** How many detections are left out because their score is not in [0, 1]. */
  readonly outOfRange: number;
}

/**
 * Over the detections of all classes that are right or wrong, each counting once.
 * CONFIG_INVALID without bins, or if `iou` is none of the evaluation's thresholds.
 */
export function calibrate(matches: CocoMatches, { iou = 0.5, bins: binCount = 10 } = {}): Calibration {
  if (!Number.isInteger(binCount) || binCount < 1) {
    throw new CasslError("CONFIG_INVALID", `bins is ${binCount}.`, "Give a whole number from 1.");
  }
  const outcomes = outcomesAt(matches, thresholdIndex(matches, iou));
  const sums = Array.from({ length: binCount }, () => ({ count: 0, score: 0, right: 0 }));
  let outOfRange = 0;
  matches.detections.score.forEach((value, row) => {
    if (outcomes[row] === IGNORED) return;
    const sum = sums[Math.max(Math.ceil(value * binCount) - 1, 0)];
    if (sum === undefined || value < 0) return void outOfRange++;
    sum.count++;
    sum.score += value;
    if (outcomes[row] === TRUE_POSITIVE) sum.right++;
  });
  const bins = sums.map(({ count, score, right }, bin) => ({
    from: bin / binCount,
    to: (bin + 1) / binCount,
    count,
    meanScore: score / Math.max(count, 1),
    precision: right / Math.max(count, 1),
  }));
  return { ...calibrationErrors(bins), bins, outOfRange };
}

function calibrationErrors(bins: readonly ReliabilityBin[]): { ece: number; mce: number } {
  const total = bins.reduce((sum, { count }) => sum + count, 0);
  if (total === 0) return { ece: -1, mce: -1 };
  const gaps = bins.map(({ meanScore, precision }) => Math.abs(meanScore - precision));
  const weighted = bins.reduce((sum, { count }, bin) => sum + count * (gaps[bin] as number), 0);
  return { ece: weighted / total, mce: Math.max(...gaps) };
}
