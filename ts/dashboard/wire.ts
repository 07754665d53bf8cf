/** What the server of the dashboard and its page say to each other, as JSON. Times are ms since 1970, AP values fractions. */
import type { RunEvent } from "../gen/cassl/v1/run.js";

export const RUN_STATES = ["pending", "running", "succeeded", "failed", "cancelled"] as const;
export type RunState = (typeof RUN_STATES)[number];

/** Whether it waits or is under way. */
export function isUnfinished(state: RunState): boolean {
  return state === "pending" || state === "running";
}

/** A header that every request which changes something must have: pages of other origins cannot send it. */
export const CHANGE_HEADER = "x-cassl-dashboard";

export interface Failure {
  readonly reason: string;
  readonly message: string;
  readonly remedy: string;
}

/** `GET /api/session`. */
export interface Session {
  readonly version: string;
  /** Whether somebody has to sign in with a token. */
  readonly signInNeeded: boolean;
  /** Whether somebody has signed in, and may sign out. */
  readonly isSignedIn: boolean;
  /** Whether runs may be cancelled and the like. */
  readonly mayChange: boolean;
}

/** Of an arm that has been evaluated. */
export interface ArmScore {
  readonly arm: string;
  readonly target: string;
  readonly ap: number;
  readonly ap50: number;
  readonly ap75: number;
  readonly class_agnostic_ap: number;
}

/** A run in the list. */
export interface RunRow {
  readonly id: string;
  readonly name: string;
  readonly state: RunState;
  readonly created: number;
  readonly finished: number | undefined;
  /** The step under way, or the one that the run ended in without success. */
  readonly step: string | undefined;
  /** Of that step, in [0, 1]. */
  readonly progress: number | undefined;
  readonly scores: readonly ArmScore[];
  readonly error: Failure | undefined;
}

export interface WorkerRow {
  readonly id: string;
  readonly name: string;
  readonly host: string;
  readonly devices: readonly string[];
  /** What it is at: steps of several runs where they have the work in common, none if it is idle. */
  readonly steps: readonly { readonly run: string; readonly step: string }[];
  readonly draining: boolean;
}

/** An event of `GET /api/overview`: all that the list shows, whenever it has changed. */
export interface Overview {
  readonly runs: readonly RunRow[];
  readonly workers: readonly WorkerRow[];
}

export interface ArtifactLink {
  readonly name: string;
  readonly sha256: string;
  readonly size_bytes: number;
}

/** `GET /api/runs/ID`. */
export interface RunDetail {
  readonly row: RunRow;
  readonly config: unknown;
  readonly config_hash: string;
  readonly overridden_gates: readonly string[];
  readonly has_report: boolean;
  readonly artifacts: readonly ArtifactLink[];
  /** Rounds of labeling that have predictions. */
  readonly labelings: readonly LabelingSummary[];
  /** What has been evaluated so far, by the name of the step. */
  readonly evaluations: readonly (Omit<ArmScore, "arm" | "target"> & { readonly step: string })[];
}

/** What a round of labeling gave. */
export interface LabelingSummary {
  /** Such as `class_agnostic` or `class_agnostic/round_2`. */
  readonly scope: string;
  /** Absent until the pseudo labels are selected. */
  readonly selected: SelectedSummary | undefined;
  /** On held-out images, at the chosen threshold; absent without any. */
  readonly precision: number | undefined;
  readonly recall: number | undefined;
}

export interface SelectedSummary {
  readonly score_threshold: number;
  readonly images: number;
  readonly empty_images: number;
  readonly pseudo_labels: number;
}

/** A message of `GET /api/runs/ID/events`. */
export type StreamedEvent = Omit<RunEvent, "at"> & { readonly at: number };

export type ImageSet = "unlabeled" | "held_out";

/** `GET /api/runs/ID/labels`: the images that a pseudo-labeler has predicted on. */
export interface LabelSet {
  readonly scope: string;
  /** All that there are. */
  readonly scopes: readonly string[];
  readonly set: ImageSet;
  readonly sets: readonly ImageSet[];
  /** Images there are; those that are shown are `files`. */
  readonly total: number;
  readonly files: readonly LabelFile[];
  /** Classes of the predictions. */
  readonly classes: readonly string[];
  /** Classes that a reviewer may give. */
  readonly categories: readonly { readonly id: number; readonly name: string }[];
  /** From which score on the run took predictions; undefined if it has not come to that. */
  readonly threshold: number | undefined;
  /** On held-out images, by descending score. */
  readonly curve: readonly { readonly score: number; readonly precision: number; readonly recall: number }[];
  readonly reviews: readonly ReviewedImage[];
}

export interface LabelFile {
  readonly name: string;
  readonly width_px: number;
  readonly height_px: number;
  /** How many of the boxes of `GET /api/runs/ID/boxes`, which are all in a row, are of this image. */
  readonly boxes: number;
  /** Ground truth as far as it is known: x, y, width, height, class of the predictions, for each object. */
  readonly truth?: readonly number[];
}

/** Numbers of a box, float32: x, y, width, height in px, score, class. By image, then by descending score. */
export const BOX_NUMBERS = 6;

export interface ReviewedImage {
  readonly file_name: string;
  readonly verdict: "accepted" | "rejected";
  readonly objects: readonly ReviewedBox[];
}

export interface ReviewedBox {
  readonly box_xywh: readonly [x: number, y: number, width: number, height: number];
  readonly category_id?: number | undefined;
}
