/** What makes the APs of runs no fair comparison. Pure. */
import { canonicalJson } from "../core/hash.js";
import type { Config } from "../pipeline/config.js";
import { type RunResult, totalIterations } from "../pipeline/pipeline.js";

export interface RankedRun {
  readonly result: RunResult;
  readonly config: Config;
}

interface Condition {
  readonly name: string;
  /** Why it matters. */
  readonly effect: string;
  of(run: RankedRun): unknown;
}

const CONDITIONS: readonly Condition[] = [
  {
    name: "validation set",
    effect: "AP is of other images",
    of: ({ result }) => result.data.validation.sha256.slice(0, 12),
  },
  { name: "number of labeled images", effect: "more labels, more AP", of: labeledCounts },
  {
    name: "total of training iterations",
    effect: "longer training, more AP",
    of: ({ config }) => totalIterations(config),
  },
  {
    name: "images_per_batch of the fine-tune",
    effect: "an iteration sees more images",
    of: ({ config }) => config.stages.finetune.solver.images_per_batch,
  },
  {
    name: "precision of the fine-tune",
    effect: "weights are rounded otherwise",
    of: ({ config }) => config.stages.finetune.solver.precision,
  },
  {
    name: "input size of the detector",
    effect: "small objects are seen or not",
    of: ({ config: { detector } }) => `${detector.input_width_px} x ${detector.input_height_px} px`,
  },
  ...(["score_threshold", "nms_iou", "max_candidates", "max_detections"] as const).map((field) => ({
    name: `stages.finetune.predict.${field}`,
    effect: "it decides which detections are judged",
    of: ({ config }: RankedRun) => config.stages.finetune.predict[field],
  })),
];

/** A sentence for each condition in which the runs differ; none where they may be ranked. */
export function incomparabilities(runs: readonly RankedRun[]): string[] {
  return CONDITIONS.flatMap(({ name, effect, of }) => {
    const values = runs.map((run) => of(run));
    if (new Set(values.map((value) => canonicalJson({ value }))).size < 2) return [];
    const shown = runs.map(({ result }, n) => `${String(values[n])} (${result.run})`).join(", ");
    return [`The runs differ in the ${name}: ${shown}; ${effect}.`];
  });
}

function labeledCounts({ result }: RankedRun): string {
  return [...new Set(result.arms.map(({ labeled_images }) => labeled_images))].join(" and ");
}
