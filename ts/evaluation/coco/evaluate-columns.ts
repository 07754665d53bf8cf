/** The metric itself, on columns. */
import { accumulateClass, type Curves, emptyCurves } from "./accumulate.js";
import { boxAreas, boxIous } from "./boxes.js";
import { gridsOf } from "./grid.js";
import { groupGroundTruth, groupResults } from "./grouping.js";
import type { GroundTruth } from "./input/ground-truth.js";
import type { Results } from "./input/results.js";
import { matchImages } from "./match-images.js";
import type { Evidence } from "./matching.js";
import type { Parameters } from "./options.js";
import type { Outcomes } from "./outcomes.js";
import { ascending } from "./sorting.js";

/** @param dtImages position of each result's image in `Parameters.imageIds`; -1: not evaluated. */
export function evaluateColumns(gt: GroundTruth, dt: Results, dtImages: Int32Array, parameters: Parameters): Curves {
  const { axes } = parameters;
  const gtByImage = groupGroundTruth(gt, parameters);
  const dtByImage = groupResults(dt, dtImages, parameters);
  const evidence = evidenceOf(gt, dt);
  const curves = emptyCurves(axes);
  for (const grid of gridsOf(axes)) {
    const outcomes = matchImages(gtByImage, dtByImage, evidence, axes, grid);
    for (const k of smallestFirst(outcomes)) accumulateClass(outcomes, k, grid, axes, curves);
  }
  return curves;
}

/** Classes by how many detections they have: V8 has optimized the code before it comes to the large ones. */
function smallestFirst({ starts, ends }: Outcomes): Int32Array {
  const sizes = ends.map((end, k) => end - (starts[k] as number));
  return ascending(ends.length).sort((a, b) => (sizes[a] as number) - (sizes[b] as number));
}

function evidenceOf({ annotations }: GroundTruth, { boxXywh, score }: Results): Evidence {
  return {
    ious: boxIous(boxXywh, annotations.boxXywh, annotations.iscrowd),
    gt: annotations,
    dtArea: boxAreas(boxXywh),
    dtScore: score,
  };
}
