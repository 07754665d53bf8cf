/** The score at which to cut detections off: where F1, the harmonic mean of precision and recall, is highest. */

import { IGNORED, TRUE_POSITIVE } from "../coco/match-tables.js";
import type { CocoMatches } from "../coco/matches.js";
import { countPositives, outcomesAt, thresholdIndex } from "./matched.js";
import { byDescendingScore } from "./ordering.js";

/** In [0, 1] but the threshold; all three -1 if there is no ground truth to find. */
export interface BestThreshold {
  /** Keep detections of this score or above; of several equally good thresholds the highest. Null: none finds anything. */
  readonly threshold: number | null;
  readonly f1: number;
  readonly precision: number;
  readonly recall: number;
}

export interface BestThresholds {
  /** One threshold for the detections of all classes together. */
  readonly overall: BestThreshold;
  readonly perClass: readonly (BestThreshold & { readonly categoryId: number; readonly name: string })[];
}

/** @param iou one of the evaluation's thresholds, else CONFIG_INVALID. */
export function bestThresholds(matches: CocoMatches, { iou = 0.5 } = {}): BestThresholds {
  const { categories, detections } = matches;
  const { score, classStarts } = detections;
  const outcome = outcomesAt(matches, thresholdIndex(matches, iou));
  const positives = countPositives(matches);
  const all = Int32Array.from(score.keys());
  const best = (rows: Int32Array, count: number) => bestOf(rows, score, outcome, count);
  return {
    overall: best(
      byDescendingScore(score),
      positives.reduce((sum, count) => sum + count, 0),
    ),
    perClass: categories.map(({ id, name }, k) => {
      const rows = all.subarray(classStarts[k], classStarts[k + 1]);
      return { categoryId: id, name, ...best(rows, positives[k] as number) };
    }),
  };
}

/** @param rows by descending score. */
function bestOf(rows: Int32Array, score: Float64Array, outcome: Uint8Array, positives: number): BestThreshold {
  if (positives === 0) return { threshold: null, f1: -1, precision: -1, recall: -1 };
  let best: BestThreshold = { threshold: null, f1: 0, precision: 0, recall: 0 };
  let kept = 0;
  let found = 0;
  rows.forEach((row, place) => {
    if (outcome[row] !== IGNORED) kept++;
    if (outcome[row] === TRUE_POSITIVE) found++;
    const threshold = score[row] as number;
    // A threshold keeps all detections of its score or none.
    if (score[rows[place + 1] ?? -1] === threshold) return;
    const f1 = (2 * found) / (kept + positives);
    if (f1 > best.f1) best = { threshold, f1, precision: found / kept, recall: found / positives };
  });
  return best;
}
