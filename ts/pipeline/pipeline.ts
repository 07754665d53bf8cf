/**
 * The three-stage protocol of CA-SSL as one function. Each stage trains on ground truth or on pseudo labels, never on both:
 * 1. the pseudo-labeler learns from the labeled set without its classes and labels the unlabeled set,
 * 2. the target detector is warmed up on those pseudo labels only,
 * 3. it is fine-tuned on the labeled set only, with classes.
 */
import type { Dataset } from "../core/dataset.js";
import { canonicalJson, sha256 } from "../core/hash.js";
import type { CuratedData } from "../data/curate.js";
import { objectsOf } from "../data/manifest.js";
import type { EvaluationSummary } from "../evaluation/evaluate-onnx.js";
import type { ArtifactRef } from "../gen/cassl/v1/artifact_service.js";
import type { TrainTask } from "../gen/cassl/v1/task.js";
import { toClassAgnostic } from "../labels/class-agnostic.js";
import type { SelectionStats } from "../labels/selection-stats.js";
import type { Arm, Config } from "./config.js";
import { type GateResult, labelerMeasurements, type Measurement, pseudoLabelMeasurements } from "./gates.js";
import type { LabelerQuality } from "./judge-labeler.js";
import {
  curateData,
  type HeldOutImages,
  holdOutImages,
  operations,
  type PipelineContext,
  storePretrained,
  type TrainedModel,
} from "./operations.js";
import type { StepSummary } from "./step.js";

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
  /** Of labeling and warm-up, in their order; none for the arm `supervised`. */
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

export async function runPipeline(run: string, config: Config, context: PipelineContext): Promise<RunResult> {
  const data = await curateData(config, context);
  const start = await storePretrained(config, context);
  const results = [];
  for (const arm of config.arms) {
    results.push(
      arm === "supervised"
        ? await runSupervised(config, data, start, context)
        : await runCassl(arm, config, data, start, context),
    );
  }
  return {
    run,
    config_hash: configHash(config),
    arms: results.flatMap((result) => result.arms),
    data: { labeled: data.labeled, unlabeled: data.unlabeled, validation: data.validation },
    steps: context.steps.summaries,
    gates: results.flatMap((result) => result.gates),
  };
}

/** What trainings start from that go on from no other; undefined: the detector's own starting weights. */
type Start = TrainTask["init_from"];

/** CA-SSL. The arm `class_specific` is the same protocol with the classes kept. */
async function runCassl(arm: Arm, config: Config, data: CuratedData, start: Start, context: PipelineContext) {
  const { load, store, train } = operations(arm, config, data, context);
  const { pseudo_label, warmup, finetune } = config.stages;
  const view = arm === "class_agnostic" ? toClassAgnostic : (dataset: Dataset) => dataset;
  const parts = await holdOutImages(config, data, context);
  const known = { labeled: view(await load(data.labeled)), heldOut: view(await load(parts.held_out)), parts };

  const training = await store(view(await load(parts.training)));
  let labeler = await train("pseudo_labeler", training, pseudo_label.solver, { init: start });
  const rounds: Round[] = [];
  for (let round = 1; round <= warmup.rounds; round++) {
    const scope = round === 1 ? arm : `${arm}/round_${round}`;
    const labels = await labelImages(scope, labeler, known, config, data, context);
    rounds.push(labels);
    const learned = { sha256: labels.pseudo_labels.sha256, class_count: known.labeled.categories.length };
    const { train } = operations(scope, config, data, context);
    labeler = await train("warmup", data.unlabeled, warmup.solver, { init: start, labels: learned });
  }

  const { carry, class_predictor } = finetune;
  const init = { weights: labeler.weights.sha256, carry, class_predictor };
  const arms: ArmResult[] = [];
  for (const target of targetsOf(config)) {
    const { train } = operations(scopeOf(arm, target), target, data, context);
    const model = await train("finetune", data.labeled, finetune.solver, { init });
    arms.push({ ...(await judge(arm, model, target, data, context)), rounds: rounds.map(withoutGates) });
  }
  return { gates: rounds.flatMap(({ gates }) => gates), arms };
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

/** The baseline: ground truth only, for as many iterations as the three stages have together. */
async function runSupervised(config: Config, data: CuratedData, start: Start, context: PipelineContext) {
  const solver = { ...config.stages.finetune.solver, iterations: totalIterations(config) };
  const arms: ArmResult[] = [];
  for (const target of targetsOf(config)) {
    const { train } = operations(scopeOf("supervised", target), target, data, context);
    const model = await train("finetune", data.labeled, solver, { init: start });
    arms.push({ ...(await judge("supervised", model, target, data, context)), rounds: [] });
  }
  return { gates: [], arms };
}

/** Exports the model and evaluates the exported file. */
async function judge(
  arm: Arm,
  model: TrainedModel,
  config: Config,
  data: CuratedData,
  context: PipelineContext,
): Promise<Omit<ArmResult, "rounds">> {
  const { exportOnnx, evaluate } = operations(scopeOf(arm, config), config, data, context);
  const { onnx, certificate } = await exportOnnx(model);
  return {
    arm,
    seed: config.seed,
    labeled_images: data.counts.labeled,
    fraction: data.labeled_fraction,
    target: config.detector.family,
    total_iterations: totalIterations(config),
    ...(await evaluate(onnx)),
    weights: model.weights,
    onnx,
    certificate,
  };
}

/** What every arm may spend: the iterations of the three stages together, with each round of warm-up. */
export function totalIterations({ stages: { pseudo_label, warmup, finetune } }: Config): number {
  return pseudo_label.solver.iterations + warmup.rounds * warmup.solver.iterations + finetune.solver.iterations;
}

export function configHash(config: Config): string {
  return sha256(canonicalJson(config));
}

function objectsPerImage(dataset: Dataset): number {
  const objects = dataset.images.reduce((sum, image) => sum + objectsOf(image).length, 0);
  return objects / dataset.images.length;
}
