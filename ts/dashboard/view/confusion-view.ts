/** What of a confusion matrix is shown. Pure functions. */
import type { ConfusionCell } from "../wire/evaluation.js";

export interface ConfusionTable {
  /** Positions of the classes that are rows and columns, ascending, then the background. */
  readonly shown: readonly number[];
  /** The count of a cell; 0 where there is none. */
  countAt(truth: number, detected: number): number;
  /** Of all objects of a class, or of all detections of nothing. */
  rowTotal(truth: number): number;
}

/** @param classCount the background comes after these. @param limit how many classes are shown: those most confused. */
export function confusionTable(classCount: number, cells: readonly ConfusionCell[], limit: number): ConfusionTable {
  const counts = new Map(cells.map(([truth, detected, count]) => [truth * (classCount + 1) + detected, count]));
  const totals = new Array<number>(classCount + 1).fill(0);
  const confused = new Array<number>(classCount + 1).fill(0);
  for (const [truth, detected, count] of cells) {
    totals[truth] = (totals[truth] as number) + count;
    if (truth === detected || truth === classCount || detected === classCount) continue;
    confused[truth] = (confused[truth] as number) + count;
    confused[detected] = (confused[detected] as number) + count;
  }
  const byErrors = Array.from({ length: classCount }, (_, position) => position).sort(
    (a, b) => (confused[b] as number) - (confused[a] as number) || (totals[b] as number) - (totals[a] as number),
  );
  return {
    shown: [...byErrors.slice(0, limit).sort((a, b) => a - b), classCount],
    countAt: (truth, detected) => counts.get(truth * (classCount + 1) + detected) ?? 0,
    rowTotal: (truth) => totals[truth] ?? 0,
  };
}
