/**
 * The verbs of the pipeline, each a memoised step: what it is called with decides its key.
 * An operation takes and returns artifacts, so that every step can be reused, resumed or done elsewhere.
 */
import type { ArtifactStore } from "../core/artifacts.js";
import { type Dataset, objectsOf } from "../core/dataset.js";
import { CasslError } from "../core/errors.js";
import { canonicalJson } from "../core/hash.js";
import { type CuratedData, curate, fingerprintData } from "../data/curate.js";
import type { InspectionCache } from "../data/inspect-image.js";
import { seriesOf } from "../data/ledger.js";
import { decodeManifest, encodeManifest } from "../data/manifest.js";
import { type EvaluationSummary, evaluateOnnx } from "../evaluation/evaluate-onnx.js";
import { requireParity } from "../evaluation/onnx/certify.js";
import type { ArtifactRef } from "../gen/cassl/v1/artifact_service.js";
import type { ExportTask, MeanTeacherTask, PredictTask, PretrainTask, TrainTask } from "../gen/cassl/v1/task.js";
import { openImageCache } from "../images/image-cache.js";
import { createImageStore, type ImageStore } from "../images/image-store.js";
import { readPseudoLabels, type SelectedLabels, selectPseudoLabels } from "../labels/pseudo-labels.js";
import type { Config } from "./config.js";
import { labeledImagesPerBatch, refuseNoUnlabeled } from "./config-checks.js";
import { givesMasks, learnsMasks } from "./detector-schema.js";
import type { checkGates } from "./gates.js";
import { holdOut } from "./held-out.js";
import { everyDetection, judgeLabeler, type LabelerQuality } from "./judge-labeler.js";
import { type LabelEvidence, labelEvidence } from "./label-evidence.js";
import type { Start } from "./pretrained.js";
import type { EmitEvent, StepContext, Steps } from "./step.js";

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

/** The labeled set in two. */
export interface HeldOutImages {
  readonly training: ArtifactRef;
  readonly held_out: ArtifactRef;
  /** In the held-out images. Without any nothing is judged. */
  readonly objects: number;
  /** Whether images of one series are in both. */
  readonly is_torn: boolean;
}

export interface PipelineContext {
  readonly steps: Steps;
  readonly workers: Workers;
  readonly artifacts: ArtifactStore;
  /** What is known of images that an interrupted or earlier run has looked into. */
  readonly inspections?: InspectionCache | undefined;
  /** The folder that remote images are kept in. */
  readonly imageCache: string;
  readonly emit: EmitEvent;
  readonly checkGates: typeof checkGates;
}

export type CurationContext = Pick<PipelineContext, "steps" | "artifacts" | "inspections" | "imageCache">;

export type Solver = Config["stages"]["warmup"]["solver"];

/** Finds, checks and splits the images; see ts/data/curate.ts. */
export async function curateData(
  config: Config,
  { steps, artifacts, inspections, imageCache }: CurationContext,
): Promise<CuratedData> {
  const data = learnsMasks(config) ? { ...config.data, masks: true } : config.data;
  const inputs = { data, seed: config.seed, files: await fingerprintData(data) };
  const curated = await steps.run("", "curate", inputs, ({ signal, progress }) =>
    curate(data, config.seed, {
      artifacts,
      inspections,
      images: imageStore(config, imageCache, signal),
      signal,
      onProgress: (done, total) => progress({ $case: "items", value: { done, total } }),
    }),
  );
  if (curated.counts.unlabeled === 0) refuseNoUnlabeled(config.arms, "The unlabeled set has no usable image");
  return curated;
}

function imageStore({ data: { remote } }: Config, folder: string, signal: AbortSignal): ImageStore {
  return createImageStore(remote, openImageCache(folder, remote.cache_gb * 1e9), signal);
}

/**
 * Splits the labeled set into what the pseudo-labeler trains on and what it is judged on; see held-out.ts.
 * DATASET_EMPTY if that has no object and a score threshold is to be chosen on it.
 */
export async function holdOutImages(
  config: Config,
  data: CuratedData,
  { steps, artifacts }: Pick<PipelineContext, "steps" | "artifacts">,
): Promise<HeldOutImages> {
  const { held_out: share, select } = config.stages.pseudo_label;
  const inputs = { labeled: data.labeled.sha256, ledger: data.ledger.sha256, share, seed: config.seed };
  const parts = await steps.run("", "hold_out", inputs, async () => {
    const labeled = decodeManifest(await artifacts.read(data.labeled.sha256));
    const series = seriesOf(await artifacts.read(data.ledger.sha256));
    const { training, heldOut, isTorn } = holdOut(labeled, share, config.seed, (name) => series.get(name) ?? name);
    return {
      training: await artifacts.put(encodeManifest(training)),
      held_out: await artifacts.put(encodeManifest(heldOut)),
      objects: heldOut.images.flatMap(objectsOf).length,
      is_torn: isTorn,
    };
  });
  if (parts.objects === 0) fixedThreshold(select);
  return parts;
}

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

/** The score of a fixed threshold. DATASET_EMPTY for any other policy: to be called where nothing is held out to choose on. */
function fixedThreshold({ score_threshold }: Config["stages"]["pseudo_label"]["select"]): number {
  if (score_threshold.policy === "fixed") return score_threshold.score;
  throw new CasslError(
    "DATASET_EMPTY",
    `The score threshold \`${score_threshold.policy}\` is chosen on held-out objects, and no labeled image with an object can be spared.`,
    "Label more images, raise stages.pseudo_label.held_out, or set stages.pseudo_label.select.score_threshold to a number.",
  );
}
