/** How much of the AP is lost because objects are found but called by the wrong name. */
import type { CocoGroundTruth, CocoResults } from "../coco/coco-format.js";
import { evaluateCoco } from "../coco/evaluate-coco.js";
import type { MatchedEvaluation } from "../coco/evaluation.js";
import type { CocoMatches } from "../coco/matches.js";
import type { EvaluateCocoOptions } from "../coco/options.js";
import type { CocoSummary } from "../coco/summarize.js";
import { bestOverlap } from "./across-classes.js";

export interface ClassAwareness {
  /** Detections must have the right class. */
  readonly classAware: CocoSummary;
  /** Classes do not matter; `maxDets` then counts the detections of an image over all classes. */
  readonly classAgnostic: CocoSummary;
  /** Each detection has the class of the ground truth that it overlaps most: what a perfect classifier would reach. */
  readonly oracleClass: CocoSummary;
}

/**
 * Evaluates twice more, without classes and with those of the ground truth.
 * @param evaluation of the same ground truth, results and options, with classes.
 */
export async function compareClassAwareness(
  { summary, matches }: MatchedEvaluation,
  gt: CocoGroundTruth,
  dt: CocoResults,
  options: Omit<EvaluateCocoOptions, "useCats" | "matches" | "federated"> = {},
): Promise<ClassAwareness> {
  const oracle = await evaluateCoco(gt, withOracleClasses(dt, matches), options);
  const agnostic = await evaluateCoco(gt, dt, { ...options, useCats: false });
  return { classAware: summary, classAgnostic: agnostic.summary, oracleClass: oracle.summary };
}

/**
 * The evaluated detections, each with the class of the ground truth that it overlaps most; ignored ground truth only gives its
 * class where there is no other. A detection that overlaps nothing keeps its class.
 */
export function withOracleClasses<Result extends CocoResults[number]>(
  dt: readonly Result[],
  matches: CocoMatches,
): Result[] {
  const { categories, detections, groundTruth } = matches;
  const inFileOrder = [...detections.row.keys()].sort(
    (a, b) => (detections.row[a] as number) - (detections.row[b] as number),
  );
  return inFileOrder.map((d) => {
    const result = dt[detections.row[d] as number] as Result;
    const found = bestOverlap(matches, d, (row) => groundTruth.ignored[row] === 0);
    const { groundTruth: row } = found.groundTruth >= 0 ? found : bestOverlap(matches, d, () => true);
    const category = categories[groundTruth.category[row] ?? -1];
    return category === undefined ? result : { ...result, category_id: category.id };
  });
}
