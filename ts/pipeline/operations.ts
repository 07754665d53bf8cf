/**
 * The verbs of the pipeline, each a memoised step: what it is called with decides its key.
 * An operation takes and returns artifacts, so that every step can be reused, resumed or done elsewhere.
 */
import type { Dataset } from "../core/dataset.js";
import { canonicalJson } from "../core/hash.js";
import type { CuratedData } from "../data/curate.js";
import { decodeManifest, encodeManifest } from "../data/manifest.js";
import { type EvaluationSummary, evaluateOnnx } from "../evaluation/evaluate-onnx.js";
import { requireParity } from "../evaluation/onnx/certify.js";
import type { ArtifactRef } from "../gen/cassl/v1/artifact_service.js";
import type { ExportTask, MeanTeacherTask, PredictTask, PretrainTask, TrainTask } from "../gen/cassl/v1/task.js";
import { readPseudoLabels, type SelectedLabels, selectPseudoLabels } from "../labels/pseudo-labels.js";
import type { Config } from "./config.js";
import { labeledImagesPerBatch } from "./config-checks.js";
import { givesMasks } from "./detector-schema.js";
import type { checkGates } from "./gates.js";
import { type CurationContext, fixedThreshold, type HeldOutImages, imageStore } from "./image-sets.js";
import { everyDetection, judgeLabeler, type LabelerQuality } from "./judge-labeler.js";
import { type LabelEvidence, labelEvidence } from "./label-evidence.js";
import type { Start } from "./pretrained.js";
import type { EmitEvent, StepContext } from "./step.js";

/** What only workers can do. A task's id is the key of its step, so doing it twice is harmless. */
export interface Workers {
  train(task: TrainTask, imageRoot: string, context: StepContext): Promise<TrainedModel>;
  /** Of the detector that it leaves only the backbone has learned. */
  pretrain(task: PretrainTask, imageRoot: string, context: StepContext): Promise<TrainedModel>;
  trainMeanTeacher(task: MeanTeacherTask, imageRoot: string, context: StepContext): Promise<TrainedModel>;
  /** Returns a PredictionManifest. */
  predict(task: PredictTask, imageRoot: string, context: StepContext): Promise<ArtifactRef>;
  exportOnnx(task: ExportTask, context: StepContext): Promise<ArtifactRef>;
}

export interface TrainedModel {
  readonly weights: ArtifactRef;
  readonly transplant_ledger: ArtifactRef | undefined;
}

export interface ExportedModel {
  readonly onnx: ArtifactRef;
  /** A Certificate, JSON; see ts/evaluation/onnx/certify.ts. */
  readonly certificate: ArtifactRef;
}

export interface JudgedLabels extends SelectedLabels {
  readonly score_threshold: number;
  readonly evidence: LabelEvidence;
}

export interface PipelineContext extends CurationContext {
  readonly workers: Workers;
  readonly emit: EmitEvent;
  readonly checkGates: typeof checkGates;
}

export type Solver = Config["stages"]["warmup"]["solver"];

export type Operations = ReturnType<typeof operations>;

/** The operations of one arm on curated data. @param scope shown before the names of steps. */
export function operations(
  scope: string,
  config: Config,
  data: CuratedData,
  { steps, workers, artifacts, imageCache, emit }: PipelineContext,
) {
  const { detector, seed } = config;
  const policy = config.stages.pseudo_label.select;
  const load = async (dataset: ArtifactRef): Promise<Dataset> => decodeManifest(await artifacts.read(dataset.sha256));
  const store = (dataset: Dataset): Promise<ArtifactRef> => artifacts.put(encodeManifest(dataset));

  /** Predictions of a pseudo-labeler on every image of a dataset. */
  function predict(
    name: "predict" | "predict_held_out",
    model: TrainedModel,
    classCount: number,
    dataset: ArtifactRef,
  ): Promise<ArtifactRef> {
    const task = {
      detector,
      weights: model.weights.sha256,
      class_count: classCount,
      dataset: dataset.sha256,
      predict: config.stages.pseudo_label.predict,
      masks: givesMasks(detector.family),
    };
    return steps.run(scope, name, task, (step) => workers.predict(task, data.image_root, step));
  }

  return {
    load,
    store,

    /** Trains the detector on one dataset, or on `labels` of its images, from its own starting weights or from `init`. */
    train(
      name: "pseudo_labeler" | "warmup" | "finetune",
      dataset: ArtifactRef,
      solver: Solver,
      { init, labels }: { init?: TrainTask["init_from"]; labels?: TrainTask["labels"] } = {},
    ): Promise<TrainedModel> {
      const task = { detector, solver, dataset: dataset.sha256, init_from: init, seed, labels };
      return steps.run(scope, name, task, (step) => workers.train(task, data.image_root, step));
    },

    /** Trains the detector's backbone on the unlabeled images alone. */
    pretrain(solver: Solver, minViewArea: number, start: Start): Promise<TrainedModel> {
      const train = { detector, solver, dataset: data.unlabeled.sha256, init_from: start, seed };
      const task = { train, min_view_area: minViewArea };
      return steps.run(scope, "pretrain", task, (step) => workers.pretrain(task, data.image_root, step));
    },

    /** Trains the detector on labeled and unlabeled images together. */
    trainMeanTeacher(solver: Solver, start: Start): Promise<TrainedModel> {
      const { burn_in, labeled_share, score_threshold } = config.baselines.mean_teacher;
      const task = {
        train: { detector, solver, dataset: data.labeled.sha256, init_from: start, seed },
        unlabeled: data.unlabeled.sha256,
        burn_in_iterations: Math.round(burn_in * solver.iterations),
        labeled_images_per_batch: labeledImagesPerBatch(solver.images_per_batch, labeled_share),
        predict: { ...config.stages.pseudo_label.predict, score_threshold },
      };
      return steps.run(scope, "mean_teacher", task, (step) => workers.trainMeanTeacher(task, data.image_root, step));
    },

    predict,

    /**
     * Has the pseudo-labeler predict on held-out images, judges it and chooses the score threshold. Undefined without an object.
     * @param heldOut with the classes that the pseudo-labeler has.
     */
    async judgeLabeler(
      labeler: TrainedModel,
      heldOut: Dataset,
      { objects, is_torn }: HeldOutImages,
    ): Promise<LabelerQuality | undefined> {
      if (objects === 0) return undefined;
      const dataset = await store(heldOut);
      const raw = await predict("predict_held_out", labeler, heldOut.categories.length, dataset);
      const { score_threshold, ...rules } = policy;
      const inputs = { raw: raw.sha256, held_out: dataset.sha256, is_torn, rules, score_threshold, seed };
      const quality = await steps.run(scope, "choose_threshold", inputs, async () => {
        const detected = await everyDetection(raw, heldOut, rules, artifacts);
        const options = { mostPerImage: rules.max_per_image, seed, isTorn: is_torn };
        return judgeLabeler(heldOut, detected, score_threshold, options);
      });
      for (const text of quality.threshold.warnings) {
        emit({ $case: "log", value: { level: "warning", text: `${scope}: ${text}` } });
      }
      return quality;
    },

    /** Predictions to pseudo labels. @param labeled with the classes of the predictions. */
    select(raw: ArtifactRef, labeled: Dataset, quality: LabelerQuality | undefined): Promise<JudgedLabels> {
      const score_threshold = quality?.threshold.score_threshold ?? fixedThreshold(policy);
      const rules = { ...policy, score_threshold };
      const inputs = { raw: raw.sha256, unlabeled: data.unlabeled.sha256, labeled: data.labeled.sha256, rules };
      const { categories } = labeled;
      return steps.run(scope, "select", { ...inputs, categories }, async ({ signal }) => {
        const { labels, stats } = await selectPseudoLabels(raw, categories, rules, artifacts, signal);
        const { images } = await readPseudoLabels(await artifacts.path(labels.sha256));
        const evidence = await labelEvidence(images, await load(data.unlabeled), labeled, rules.max_per_image);
        return { score_threshold, labels, stats, evidence };
      });
    },

    /** Exports the model; MODEL_INVALID if the file does not give what torch gives. */
    exportOnnx(model: TrainedModel): Promise<ExportedModel> {
      const { predict } = config.stages.finetune;
      const task = { detector, weights: model.weights.sha256, dataset: data.labeled.sha256, predict };
      return steps.run(scope, "export", task, async (step) => {
        const onnx = await workers.exportOnnx(task, step);
        const certificate = await requireParity(await artifacts.path(onnx.sha256), step.signal);
        return { onnx, certificate: await artifacts.put(Buffer.from(canonicalJson(certificate))) };
      });
    },

    /** COCO numbers of the exported file on the validation set. */
    evaluate(onnx: ArtifactRef): Promise<EvaluationSummary> {
      const inputs = { onnx: onnx.sha256, validation: data.validation.sha256 };
      return steps.run(scope, "evaluate", inputs, async ({ signal, progress }) =>
        evaluateOnnx({
          model: await artifacts.path(onnx.sha256),
          dataset: await load(data.validation),
          imageRoot: data.image_root,
          images: imageStore(config, imageCache, signal),
          artifacts,
          signal,
          onProgress: (done, total) => progress({ $case: "items", value: { done, total } }),
        }),
      );
    },
  };
}
