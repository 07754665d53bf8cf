import type { JudgedDetections } from "../comparison/judge-detections.js";
import type { BoxXywh } from "../core/boxes.js";
import type { LeakEvidence } from "../data/evidence.js";
import type { FateCount } from "../data/ledger.js";
import type { Certificate } from "../evaluation/onnx/certify.js";
import type { RunEvent, StepProgress } from "../gen/cassl/v1/run.js";
import type { Config } from "../pipeline/config.js";
import type { RunResult } from "../pipeline/pipeline.js";
import type { Transplant } from "./transplants.js";

/** What a report is made of. */
export interface ReportInput {
  readonly run: ReportedRun;
  readonly result: RunResult;
  /** What the steps that were done were expected to take, in seconds; without those of which nothing was known. */
  readonly planned: ReadonlyMap<string, number>;
  /** Of this run. */
  readonly events: readonly RunEvent[];
  /** Of the steps of the result, also where an earlier run did them. */
  readonly progress: readonly StepProgress[];
  readonly samples: readonly SampleGroup[];
  readonly curation: ReportedCuration;
  /** Of the trainings that started from other weights. */
  readonly transplants: readonly Transplant[];
  /** One an arm, in the order of the result. */
  readonly judged: readonly JudgedDetections[];
  /** Of the exported models, one an arm, in the order of the result. */
  readonly certificates: readonly Certificate[];
  readonly environment: Environment;
}

/** What the run was computed with. */
export interface Environment {
  /** Version of this package. */
  readonly cassl: string;
  /** Version of Node.js. */
  readonly node: string;
  /** Such as `linux x64`. */
  readonly platform: string;
  readonly host: string;
  /** Those that were attached when the run ended. */
  readonly workers: readonly ReportedWorker[];
}

export interface ReportedWorker {
  readonly name: string;
  readonly host: string;
  /** As torch names them. */
  readonly devices: readonly string[];
  /** Names of the GPUs, as far as they are known. */
  readonly gpus: readonly string[];
  /** Of Python and of the packages that compute, by their names. */
  readonly versions: Readonly<Record<string, string>>;
}

/** What became of the images. */
export interface ReportedCuration {
  readonly fates: readonly FateCount[];
  readonly leaks: readonly LeakEvidence[];
}

export interface ReportedRun {
  readonly run_id: string;
  readonly config: Config;
  readonly created_at: Date;
  readonly finished_at: Date;
}

/** Images of one kind. */
export interface SampleGroup {
  readonly title: string;
  /** How many stand in a row, because they show the same; as many as have room where it is left out. */
  readonly columns?: number;
  readonly images: readonly SampleImage[];
}

/** An image to show with its boxes. */
export interface SampleImage {
  readonly title: string;
  readonly image_path: string;
  readonly width_px: number;
  readonly height_px: number;
  readonly boxes: readonly SampleBox[];
}

export interface SampleBox {
  readonly box_xywh: BoxXywh;
  readonly label: string;
  /** In [0, 1]; ground truth has none. */
  readonly score?: number;
  readonly kind: "ground_truth" | "pseudo_label" | "detection";
  /** Of the whole image, as COCO's counts string. */
  readonly mask?: string;
}
