/**
 * The three-stage protocol of CA-SSL as one function. Each stage trains on ground truth or on pseudo labels, never on both:
 * 1. the pseudo-labeler learns from the labeled set without its classes and labels the unlabeled set,
 * 2. the target detector is warmed up on those pseudo labels only,
 * 3. it is fine-tuned on the labeled set only, with classes.
 */
import { type Dataset, objectsOf } from "../core/dataset.js";
import { canonicalJson, sha256 } from "../core/hash.js";
import type { CuratedData } from "../data/curate.js";
import type { ArtifactRef } from "../gen/cassl/v1/artifact_service.js";
import { toClassAgnostic } from "../labels/class-agnostic.js";
import { type ArmResult, type FinishedArm, type RoundResult, trainTargets } from "./arm.js";
import { runMeanTeacher, runSelfSupervised, runSupervised } from "./baselines.js";
import type { Arm, Config, LabelingArm } from "./config.js";
import { type GateResult, labelerMeasurements, type Measurement, pseudoLabelMeasurements } from "./gates.js";
import { curateData, type HeldOutImages, holdOutImages } from "./image-sets.js";
import { type Operations, operations, type PipelineContext, type TrainedModel } from "./operations.js";
import { type Start, storePretrained } from "./pretrained.js";
import type { StepSummary } from "./step.js";

export { type ArmResult, type RoundResult, totalIterations } from "./arm.js";

/** result.json. AP values are fractions. */
export interface RunResult {
  readonly run: string;
  readonly config_hash: string;
  readonly arms: readonly ArmResult[];
  readonly data: RunData;
  readonly steps: readonly StepSummary[];
  readonly gates: readonly GateResult[];
}

/** Manifests of the images that were used, the same for all arms. */
export interface RunData {
  readonly labeled: ArtifactRef;
  readonly unlabeled: ArtifactRef;
  readonly validation: ArtifactRef;
}

export async function runPipeline(run: string, config: Config, context: PipelineContext): Promise<RunResult> {
  const data = await curateData(config, context);
  const start = await storePretrained(config, context);
  const results = [];
  for (const arm of config.arms) results.push(await runArm(arm, config, data, start, context));
  return {
    run,
    config_hash: configHash(config),
    arms: results.flatMap((result) => result.arms),
    data: { labeled: data.labeled, unlabeled: data.unlabeled, validation: data.validation },
    steps: context.steps.summaries,
    gates: results.flatMap((result) => result.gates),
  };
}

function runArm(
  arm: Arm,
  config: Config,
  data: CuratedData,
  start: Start,
  context: PipelineContext,
): Promise<FinishedArm> {
  switch (arm) {
    case "supervised":
      return runSupervised(config, data, start, context);
    case "self_supervised":
      return runSelfSupervised(config, data, start, context);
    case "mean_teacher":
      return runMeanTeacher(config, data, start, context);
    case "class_specific":
    case "class_agnostic":
      return runCassl(arm, config, data, start, context);
  }
}

/** CA-SSL. The arm `class_specific` is the same protocol with the classes kept. */
async function runCassl(
  arm: LabelingArm,
  config: Config,
  data: CuratedData,
  start: Start,
  context: PipelineContext,
): Promise<FinishedArm> {
  const { load, store } = operations(arm, config, data, context);
  const { pseudo_label, warmup, finetune } = config.stages;
  const view = arm === "class_agnostic" ? toClassAgnostic : (dataset: Dataset) => dataset;
  const parts = await holdOutImages(config, data, context);
  const known = { labeled: view(await load(data.labeled)), heldOut: view(await load(parts.held_out)), parts };

  const training = await store(view(await load(parts.training)));
  const first = { ...config, detector: config.pseudo_labeler ?? config.detector };
  const { train } = operations(arm, first, data, context);
  let labeler = await train("pseudo_labeler", training, pseudo_label.solver, { init: start });
  const rounds: Round[] = [];
  for (let round = 1; round <= warmup.rounds; round++) {
    const scope = roundScope(arm, round);
    const labels = await labelImages(scope, labeler, known, round === 1 ? first : config, data, context);
    rounds.push(labels);
    const learned = { sha256: labels.pseudo_labels.sha256, class_count: known.labeled.categories.length };
    const { train } = operations(scope, config, data, context);
    labeler = await train("warmup", data.unlabeled, warmup.solver, { init: start, labels: learned });
  }

  const { carry, class_predictor } = finetune;
  const init = { weights: labeler.weights.sha256, carry, class_predictor };
  const fineTune = ({ train }: Operations) => train("finetune", data.labeled, finetune.solver, { init });
  const arms = await trainTargets(arm, fineTune, config, data, context, rounds.map(withoutGates));
  return { gates: rounds.flatMap(({ gates }) => gates), arms };
}

/** What the names of the steps of a round of labeling and warm-up begin with. @param round 1, 2, ... */
export function roundScope(arm: string, round: number): string {
  return round === 1 ? arm : `${arm}/round_${round}`;
}

/** With the classes that the pseudo-labeler has. */
interface GroundTruth {
  readonly labeled: Dataset;
  readonly heldOut: Dataset;
  readonly parts: HeldOutImages;
}

interface Round extends RoundResult {
  readonly gates: readonly GateResult[];
}

function withoutGates({ gates: _, ...result }: Round): RoundResult {
  return result;
}

/**
 * One round of labeling. The pseudo-labeler is judged on held-out images before it labels the unlabeled ones, and its labels
 * before they are trained on: a gate that is not passed stops the run.
 */
async function labelImages(
  scope: string,
  labeler: TrainedModel,
  { labeled, heldOut, parts }: GroundTruth,
  config: Config,
  data: CuratedData,
  context: PipelineContext,
): Promise<Round> {
  const { predict, judgeLabeler, select } = operations(scope, config, data, context);
  const classCount = labeled.categories.length;

  const quality = await judgeLabeler(labeler, heldOut, parts);
  const check = (measurements: readonly Measurement[]): GateResult[] =>
    context.checkGates(scope, measurements, config.gates, context.emit);
  const labelerGates = check(labelerMeasurements(quality));
  const raw = await predict("predict", labeler, classCount, data.unlabeled);
  const selected = await select(raw, labeled, quality);
  const labelGates = check(pseudoLabelMeasurements(selected.stats, selected.evidence, objectsPerImage(labeled)));

  const { score_threshold } = selected;
  const result = { score_threshold, selection: selected.stats, pseudo_labels: selected.labels };
  return { ...result, ...(quality === undefined ? {} : { quality }), gates: [...labelerGates, ...labelGates] };
}

export function configHash(config: Config): string {
  return sha256(canonicalJson(config));
}

function objectsPerImage(dataset: Dataset): number {
  const objects = dataset.images.reduce((sum, image) => sum + objectsOf(image).length, 0);
  return objects / dataset.images.length;
}
