/** The metric itself, on columns. */
import { accumulateClass, type Curves, emptyCurves } from "./accumulate.js";
import { evidenceOf } from "./evidence.js";
import { gridsOf } from "./grid.js";
import { groupGroundTruth, groupResults } from "./grouping.js";
import type { Source } from "./input/fields.js";
import type { GroundTruth } from "./input/ground-truth.js";
import type { Results } from "./input/results.js";
import { matchImages } from "./match-images.js";
import type { Parameters } from "./options.js";

export interface Input {
  readonly gt: GroundTruth;
  readonly dt: Results;
  /** Position of each result's image in `Parameters.imageIds`; -1: not evaluated. */
  readonly dtImages: Int32Array;
  /** Of the results, for messages. */
  readonly source: Source;
}

export interface Output {
  readonly curves: Curves;
  readonly warnings: readonly string[];
}

export function evaluateColumns(input: Input, parameters: Parameters): Output {
  const { gt, dt, dtImages } = input;
  const { axes } = parameters;
  const gtByImage = groupGroundTruth(gt, parameters);
  const dtByImage = groupResults(dt, dtImages, parameters);
  const evidence = evidenceOf({ ...input, dtRows: dtByImage.rows }, parameters);
  const curves = emptyCurves(axes);
  for (const grid of gridsOf(axes)) {
    const outcomes = matchImages(gtByImage, dtByImage, evidence, axes, grid);
    axes.categoryIds.forEach((_, k) => accumulateClass(outcomes, k, grid, axes, curves));
  }
  return { curves, warnings: evidence.warnings() };
}
