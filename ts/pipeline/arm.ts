/** What all arms have in common: how they end, what they may spend, and what is told of them. */
import type { CuratedData } from "../data/curate.js";
import type { EvaluationSummary } from "../evaluation/evaluate-onnx.js";
import type { ArtifactRef } from "../gen/cassl/v1/artifact_service.js";
import type { SelectionStats } from "../labels/selection-stats.js";
import type { Arm, Config } from "./config.js";
import type { GateResult } from "./gates.js";
import type { LabelerQuality } from "./judge-labeler.js";
import { type Operations, operations, type PipelineContext, type TrainedModel } from "./operations.js";

export interface ArmResult extends EvaluationSummary {
  readonly arm: Arm;
  readonly seed: number;
  /** Labeled images used. */
  readonly labeled_images: number;
  /** Labeled images used over labeled images there are. */
  readonly fraction: number;
  /** The family of the detector that was fine-tuned. */
  readonly target: string;
  /** Training iterations that the arm cost, over all its stages. Equal for all arms. */
  readonly total_iterations: number;
  /** safetensors. */
  readonly weights: ArtifactRef;
  readonly onnx: ArtifactRef;
  /** That the ONNX file gives what torch gave; JSON, see ts/evaluation/onnx/certify.ts. */
  readonly certificate: ArtifactRef;
  /** Of labeling and warm-up, in their order; the arms that keep no pseudo labels have none. */
  readonly rounds: readonly RoundResult[];
}

/** What one round of labeling gave. */
export interface RoundResult {
  /** Of the pseudo-labeler on held-out images; absent if there are none. */
  readonly quality?: LabelerQuality;
  readonly score_threshold: number;
  readonly selection: SelectionStats;
  /** Parquet; see docs/pseudo-labels.md. */
  readonly pseudo_labels: ArtifactRef;
}

/** A result for each target. */
export interface FinishedArm {
  readonly arms: readonly ArmResult[];
  readonly gates: readonly GateResult[];
}

/** What every arm may spend: the iterations of the three stages together, with each round of warm-up. */
export function totalIterations({ stages: { pseudo_label, warmup, finetune } }: Config): number {
  return pseudo_label.solver.iterations + warmup.rounds * warmup.solver.iterations + finetune.solver.iterations;
}

/** The end of every arm: one detector for each target, exported and evaluated. */
export async function trainTargets(
  arm: Arm,
  train: (target: Operations) => Promise<TrainedModel>,
  config: Config,
  data: CuratedData,
  context: PipelineContext,
  rounds: readonly RoundResult[] = [],
): Promise<ArmResult[]> {
  const arms: ArmResult[] = [];
  for (const target of targetsOf(config)) {
    const model = await train(operations(scopeOf(arm, target), target, data, context));
    arms.push({ ...(await judge(arm, model, target, data, context)), rounds });
  }
  return arms;
}

/** One warm-up, several detectors: the configuration of each, which differ in the family. */
function targetsOf(config: Config): Config[] {
  const families = config.targets.length > 0 ? config.targets : [config.detector.family];
  return families.map((family) => ({ ...config, detector: { ...config.detector, family } }));
}

/** What the names of an arm's last steps begin with. */
function scopeOf(arm: Arm, { targets, detector }: Config): string {
  return targets.length > 1 ? `${arm}/${detector.family}` : arm;
}

/** Exports the model and evaluates the exported file. */
async function judge(
  arm: Arm,
  model: TrainedModel,
  config: Config,
  data: CuratedData,
  context: PipelineContext,
): Promise<Omit<ArmResult, "rounds">> {
  const scope = scopeOf(arm, config);
  const { exportOnnx, evaluate } = operations(scope, config, data, context);
  const { onnx, certificate } = await exportOnnx(model);
  const summary = await evaluate(onnx);
  const { ap, ap50, ap75, class_agnostic_ap } = summary;
  context.emit({ $case: "arm_evaluated", value: { scope, ap, ap50, ap75, class_agnostic_ap } });
  return {
    arm,
    seed: config.seed,
    labeled_images: data.counts.labeled,
    fraction: data.labeled_fraction,
    target: config.detector.family,
    total_iterations: totalIterations(config),
    ...summary,
    weights: model.weights,
    onnx,
    certificate,
  };
}
