/** Which classes are taken for which, and for the background. */
import type { CocoCategory } from "../coco/coco-format.js";
import { IGNORED } from "../coco/match-tables.js";
import type { CocoMatches } from "../coco/matches.js";
import { matchAcrossClasses } from "./across-classes.js";
import { outcomesAt, thresholdIndex } from "./matched.js";

export interface ConfusionMatrix {
  /** The K classes of rows and columns; both have one more, the background. */
  readonly categories: readonly CocoCategory[];
  /**
   * (K + 1, K + 1) counts, row-major: row of the true class, column of the detected class. The last column counts ground truth
   * that is not detected, the last row detections of nothing; their crossing is 0.
   */
  readonly counts: Int32Array;
}

export interface ConfusedPair {
  readonly trueName: string;
  readonly detectedName: string;
  readonly count: number;
  /** In [0, 1], of the ground truth of the true class. */
  readonly share: number;
}

/** What a confusion matrix counts, an entry each: what takes what. */
export interface Confusions {
  /** (N,). Rows of `CocoMatches.groundTruth`; -1: a detection of nothing. */
  readonly groundTruth: Int32Array;
  /** (N,). Rows of `CocoMatches.detections`; -1: ground truth that is not detected. */
  readonly detection: Int32Array;
}

export interface ConfusionOptions {
  /** One of the evaluation's thresholds, else CONFIG_INVALID. @default 0.5 */
  readonly minIou?: number;
  /** Detections below it are left out. @default 0 */
  readonly minScore?: number;
}

/**
 * Each ground truth is matched with the best-scored detection of any class that takes it, as in class-agnostic evaluation.
 * Ignored ground truth and what takes it are left out.
 */
export function confusions(matches: CocoMatches, { minIou = 0.5, minScore = 0 }: ConfusionOptions = {}): Confusions {
  const { detections, groundTruth } = matches;
  const pairs: (readonly [truth: number, detection: number])[] = [];
  const isFound = new Uint8Array(groundTruth.row.length);
  const outcomes = outcomesAt(matches, thresholdIndex(matches, minIou));
  matchAcrossClasses(matches, minIou, minScore).forEach((taken, d) => {
    if (taken < 0) {
      const isLeftOut = !((detections.score[d] as number) >= minScore) || outcomes[d] === IGNORED;
      if (!isLeftOut) pairs.push([-1, d]);
    } else if (groundTruth.ignored[taken] === 0) {
      isFound[taken] = 1;
      pairs.push([taken, d]);
    }
  });
  groundTruth.ignored.forEach((ignored, row) => {
    if (ignored === 0 && isFound[row] === 0) pairs.push([row, -1]);
  });
  return {
    groundTruth: Int32Array.from(pairs, ([truth]) => truth),
    detection: Int32Array.from(pairs, ([, detection]) => detection),
  };
}

/** The counts of `confusions` by classes. */
export function confusionMatrix(matches: CocoMatches, options: ConfusionOptions = {}): ConfusionMatrix {
  const { categories, detections, groundTruth } = matches;
  const background = categories.length;
  const counts = new Int32Array((background + 1) ** 2);
  const pairs = confusions(matches, options);
  pairs.groundTruth.forEach((row, pair) => {
    const truth = groundTruth.category[row] ?? background;
    const detected = detections.category[pairs.detection[pair] as number] ?? background;
    const cell = truth * (background + 1) + detected;
    counts[cell] = (counts[cell] as number) + 1;
  });
  return { categories, counts };
}

/** Pairs of different classes, the most frequent first; the background is none. */
export function confusedPairs({ categories, counts }: ConfusionMatrix, limit = Infinity): ConfusedPair[] {
  const side = categories.length + 1;
  const pairs = categories.flatMap((truth, k) => {
    const row = counts.subarray(k * side, (k + 1) * side);
    const total = row.reduce((sum, count) => sum + count, 0);
    return categories.map((detected, column) => ({
      trueName: truth.name,
      detectedName: detected.name,
      count: column === k ? 0 : (row[column] as number),
      share: (row[column] as number) / Math.max(total, 1),
    }));
  });
  const confused = pairs.filter(({ count }) => count > 0).sort((a, b) => b.count - a.count || b.share - a.share);
  return confused.slice(0, limit);
}
