/** How much work a step is, and what decides how long a unit of it takes: so that one step's time tells of another's. */
import { canonicalJson } from "../core/hash.js";
import type { ExportTask, MeanTeacherTask, PredictTask, PretrainTask, TrainTask } from "../gen/cassl/v1/task.js";
import type { Config } from "./config.js";
import type { StepName } from "./step.js";

export interface Work {
  /** Equal for steps whose units take equally long on one device. Canonical JSON. */
  readonly profile: string;
  /** Whether a worker does it. */
  readonly byWorker: boolean;
  /** Of training. */
  readonly training?: Training;
  /** SHA-256 of the manifest whose images are worked on, or something unknown; for what goes through images. */
  readonly dataset?: string;
}

export interface Training {
  readonly iterations: number;
  readonly imagesPerBatch: number;
  readonly learningRate: number;
}

export function workOf(name: StepName, inputs: object, { detector }: Pick<Config, "detector">): Work {
  switch (name) {
    case "pseudo_labeler":
    case "warmup":
    case "finetune":
      return trainingOf("train", inputs as TrainTask);
    case "pretrain":
    case "mean_teacher":
      return trainingOf(name, (inputs as PretrainTask | MeanTeacherTask).train as TrainTask);
    case "predict":
    case "predict_held_out": {
      const { predict, dataset } = inputs as PredictTask;
      const profile = canonicalJson({ kind: "predict", detector, images_per_batch: predict?.images_per_batch });
      return { profile, byWorker: true, dataset };
    }
    case "export":
      return { profile: canonicalJson({ kind: "export", detector: (inputs as ExportTask).detector }), byWorker: true };
    case "select":
      return { profile: canonicalJson({ kind: name }), byWorker: false, dataset: memberOf(inputs, "unlabeled") };
    case "evaluate":
      return {
        profile: canonicalJson({ kind: name, detector }),
        byWorker: false,
        dataset: memberOf(inputs, "validation"),
      };
    default:
      return { profile: canonicalJson({ kind: name }), byWorker: false };
  }
}

/** Whether the step is a TrainTask, which is known how to shorten. */
export function isTrainTask(name: StepName): boolean {
  return name === "pseudo_labeler" || name === "warmup" || name === "finetune";
}

function trainingOf(kind: string, { detector, solver, dataset }: TrainTask): Work {
  const { iterations = 0, images_per_batch = 0, learning_rate = 0, precision, frozen_stages } = solver ?? {};
  return {
    profile: canonicalJson({ kind, detector, images_per_batch, precision, frozen_stages }),
    byWorker: true,
    training: { iterations, imagesPerBatch: images_per_batch, learningRate: learning_rate },
    dataset,
  };
}

function memberOf(inputs: object, name: string): string {
  return (inputs as Record<string, string>)[name] ?? "";
}
