/** The metric itself, on columns. */
import { accumulateClass, type Curves, emptyCurves } from "./accumulate.js";
import { evidenceOf } from "./evidence.js";
import { type Evaluated, federate } from "./federated.js";
import { gridsOf } from "./grid.js";
import { groupGroundTruth, groupResults } from "./grouping.js";
import type { Source } from "./input/fields.js";
import type { GroundTruth } from "./input/ground-truth.js";
import type { Results } from "./input/results.js";
import { matchImages } from "./match-images.js";
import { type CocoMatches, recordMatches } from "./matches.js";
import type { Parameters } from "./options.js";
import type { Outcomes } from "./outcomes.js";
import { ascending } from "./sorting.js";

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
  readonly matches: CocoMatches | undefined;
  readonly warnings: readonly string[];
}

export function evaluateColumns(input: Input, parameters: Parameters): Output {
  const { axes } = parameters;
  const evaluated = evaluatedOf(input, parameters);
  const { gt, dt, evidence } = evaluated;
  const curves = emptyCurves(axes);
  for (const grid of gridsOf(axes)) {
    const outcomes = matchImages(gt, dt, evidence, axes, grid);
    for (const k of smallestFirst(outcomes)) accumulateClass(outcomes, k, grid, axes, curves);
  }
  const matches = parameters.matches ? recordMatches(evaluated, input.gt, input.dt, parameters) : undefined;
  return { curves, matches, warnings: evidence.warnings() };
}

function evaluatedOf(input: Input, parameters: Parameters): Evaluated {
  const { gt, dt, dtImages } = input;
  const dtByImage = groupResults(dt, dtImages, parameters);
  const evidence = evidenceOf({ ...input, dtRows: dtByImage.rows }, parameters);
  const all = { gt: groupGroundTruth(gt, parameters), dt: dtByImage, evidence };
  return gt.checks ? federate(all, gt, gt.checks, parameters) : all;
}

/** Classes by how many detections they have: V8 has optimized the code before it comes to the large ones. */
function smallestFirst({ starts, ends }: Outcomes): Int32Array {
  const sizes = ends.map((end, k) => end - (starts[k] as number));
  return ascending(ends.length).sort((a, b) => (sizes[a] as number) - (sizes[b] as number));
}
