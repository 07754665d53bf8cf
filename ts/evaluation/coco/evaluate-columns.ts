/** The metric itself, on columns. */
import { accumulateClass, type Curves, emptyCurves } from "./accumulate.js";
import { evidenceOf } from "./evidence.js";
import { groupGroundTruth, groupResults } from "./grouping.js";
import { groupsOfClass } from "./groups.js";
import type { Source } from "./input/fields.js";
import type { GroundTruth } from "./input/ground-truth.js";
import type { Results } from "./input/results.js";
import { matchClass, type Outcomes } from "./matching.js";
import type { Parameters } from "./options.js";
import { rankClass } from "./ranking.js";
import { thresholdSets } from "./thresholds.js";

export interface Input {
  readonly gt: GroundTruth;
  readonly dt: Results;
  /** Position of each result's image in `Parameters.imageIds`; -1 if it is not there. */
  readonly dtImage: Int32Array;
  /** Of the results, for messages. */
  readonly source: Source;
}

export interface Output {
  readonly curves: Curves;
  readonly warnings: readonly string[];
}

export function evaluateColumns({ gt, dt, dtImage, source }: Input, parameters: Parameters): Output {
  const { axes, imageIds } = parameters;
  const gtGroups = groupGroundTruth(gt, parameters);
  const dtGroups = groupResults(dt, dtImage, parameters);
  const evidence = evidenceOf({ gt, dt, gtGroups, dtGroups, source }, parameters);
  const curves = emptyCurves(axes);
  const sets = thresholdSets(axes.iouThresholds, axes.areaRanges.length);
  const words = Math.max(...sets.map((set) => set.words.length));
  const outcomes = newOutcomes(words * largestClass(dtGroups.classStarts), axes.areaRanges.length);
  axes.categoryIds.forEach((_, k) => {
    const ranked = rankClass(dtGroups, k, dt.score, axes.maxDets, imageIds.length);
    const groups = groupsOfClass(gtGroups, k, ranked, imageIds.length);
    for (const thresholds of sets) {
      const task = { ranked, groups, evidence, areaRanges: axes.areaRanges, thresholds };
      matchClass(task, outcomes);
      accumulateClass(task, outcomes, k, axes, curves);
    }
  });
  return { curves, warnings: evidence.warnings() };
}

function largestClass(classStarts: Int32Array): number {
  return classStarts.reduce((most, start, k) => Math.max(most, (classStarts[k + 1] ?? start) - start), 0);
}

/** One for all classes. */
function newOutcomes(words: number, ranges: number): Outcomes {
  return { bits: new Int32Array(2 * words), positives: new Int32Array(ranges) };
}
