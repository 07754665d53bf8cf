/**
 * The verbs of the pipeline, each a memoised step: what it is called with decides its key.
 * An operation takes and returns artifacts, so that every step can be reused, resumed or done elsewhere.
 */
import type { ArtifactStore } from "../core/artifacts.js";
import type { Dataset } from "../core/dataset.js";
import { type CuratedData, curate, fingerprintData } from "../data/curate.js";
import type { InspectionCache } from "../data/inspect-image.js";
import { decodeManifest, encodeManifest } from "../data/manifest.js";
import { type EvaluationSummary, evaluateOnnx } from "../evaluation/evaluate-onnx.js";
import type { ArtifactRef } from "../gen/cassl/v1/artifact_service.js";
import type { ExportTask, PredictConfig, PredictTask, TrainTask } from "../gen/cassl/v1/task.js";
import { openImageCache } from "../images/image-cache.js";
import { createImageStore, type ImageStore } from "../images/image-store.js";
import { type SelectionStats, selectPseudoLabels } from "../labels/select.js";
import { type Config, refuseNoUnlabeled } from "./config.js";
import type { EmitEvent, StepContext, Steps } from "./step.js";

/** What only workers can do. A task's id is the key of its step, so doing it twice is harmless. */
export interface Workers {
  train(task: TrainTask, imageRoot: string, context: StepContext): Promise<TrainedModel>;
  /** Returns a PredictionManifest. */
  predict(task: PredictTask, imageRoot: string, context: StepContext): Promise<ArtifactRef>;
  exportOnnx(task: ExportTask, context: StepContext): Promise<ArtifactRef>;
}

export interface TrainedModel {
  readonly weights: ArtifactRef;
  readonly transplant_ledger: ArtifactRef | undefined;
}

export interface PseudoLabels {
  readonly dataset: ArtifactRef;
  readonly stats: SelectionStats;
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
}

export type CurationContext = Pick<PipelineContext, "steps" | "artifacts" | "inspections" | "imageCache">;

type Solver = Config["stages"]["warmup"]["solver"];

/** Finds, checks and splits the images; see ts/data/curate.ts. */
export async function curateData(
  config: Config,
  { steps, artifacts, inspections, imageCache }: CurationContext,
): Promise<CuratedData> {
  const inputs = { data: config.data, seed: config.seed, files: await fingerprintData(config.data) };
  const curated = await steps.run("", "curate", inputs, ({ signal, progress }) =>
    curate(config.data, config.seed, {
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
 * The operations of one arm on curated data.
 * @param arm shown before the names of its steps.
 */
export function operations(
  arm: string,
  config: Config,
  data: CuratedData,
  { steps, workers, artifacts, imageCache }: PipelineContext,
) {
  const { detector, seed } = config;
  const load = async (dataset: ArtifactRef): Promise<Dataset> => decodeManifest(await artifacts.read(dataset.sha256));
  const store = (dataset: Dataset): Promise<ArtifactRef> => artifacts.put(encodeManifest(dataset));

  return {
    load,
    store,

    /** Trains the detector on one dataset, from its own starting weights or from `init`. */
    train(
      name: "pseudo_labeler" | "warmup" | "finetune",
      dataset: ArtifactRef,
      solver: Solver,
      init?: TrainTask["init_from"],
    ): Promise<TrainedModel> {
      const task = { detector, solver, dataset: dataset.sha256, init_from: init, seed };
      return steps.run(arm, name, task, (step) => workers.train(task, data.image_root, step));
    },

    /** Predictions of a model on every image of a dataset. */
    predict(
      model: TrainedModel,
      classCount: number,
      dataset: ArtifactRef,
      predict: PredictConfig,
    ): Promise<ArtifactRef> {
      const task = {
        detector,
        weights: model.weights.sha256,
        class_count: classCount,
        dataset: dataset.sha256,
        predict,
        masks: false,
      };
      return steps.run(arm, "predict", task, (step) => workers.predict(task, data.image_root, step));
    },

    /** Predictions to pseudo labels. */
    select(raw: ArtifactRef, categories: Dataset["categories"]): Promise<PseudoLabels> {
      const policy = config.stages.pseudo_label.select;
      const inputs = { raw: raw.sha256, unlabeled: data.unlabeled.sha256, categories, policy };
      return steps.run(arm, "select", inputs, async () => {
        const selected = await selectPseudoLabels(await load(data.unlabeled), categories, raw, policy, artifacts);
        return { dataset: await store(selected.dataset), stats: selected.stats };
      });
    },

    exportOnnx(model: TrainedModel): Promise<ArtifactRef> {
      const { predict } = config.stages.finetune;
      const task = { detector, weights: model.weights.sha256, dataset: data.labeled.sha256, predict };
      return steps.run(arm, "export", task, (step) => workers.exportOnnx(task, step));
    },

    /** COCO numbers of the exported file on the validation set. */
    evaluate(onnx: ArtifactRef): Promise<EvaluationSummary> {
      const inputs = { onnx: onnx.sha256, validation: data.validation.sha256 };
      return steps.run(arm, "evaluate", inputs, async ({ signal, progress }) =>
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
