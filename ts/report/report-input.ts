import type { BoxXywh } from "../core/boxes.js";
import type { RunEvent, StepProgress } from "../gen/cassl/v1/run.js";
import type { Config } from "../pipeline/config.js";
import type { RunResult } from "../pipeline/pipeline.js";

/** What a report is made of. */
export interface ReportInput {
  readonly run: ReportedRun;
  readonly result: RunResult;
  /** Of this run. */
  readonly events: readonly RunEvent[];
  /** Of the steps of the result, also where an earlier run did them. */
  readonly progress: readonly StepProgress[];
  readonly samples: readonly SampleImage[];
  readonly curation: ReportedCuration;
}

/** What became of the images. */
export interface ReportedCuration {
  /** All together are all images. */
  readonly fates: readonly ReportedFate[];
  /** The images that show what a validation image shows. */
  readonly leaks: readonly ReportedLeak[];
}

/** How many images of a set had the same fate. */
export interface ReportedFate {
  readonly split: string;
  readonly fate: "used" | "dropped";
  readonly reason?: string;
  readonly images: number;
}

export interface ReportedLeak {
  readonly file_name: string;
  readonly split: string;
  /** File name of the validation image. */
  readonly validation: string;
  /** Whether the files are equal, or only what they show. */
  readonly kind: "exact" | "near";
  readonly distance: number;
  readonly mirrored: boolean;
  /** Small JPEG files in base64. */
  readonly previews?: { readonly image: string; readonly validation: string };
}

export interface ReportedRun {
  readonly run_id: string;
  readonly config: Config;
  readonly created_at: Date;
  readonly finished_at: Date;
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
}
