/** What the server says of runs and workers, as JSON. Times are ms since 1970, AP values fractions. */
import type { RunState } from "../../core/run-state.js";
import type { RunEvent } from "../../gen/cassl/v1/run.js";
import type { Failure } from "./requests.js";

export const RUN_STATES = [
  "pending",
  "running",
  "succeeded",
  "failed",
  "cancelled",
] as const satisfies readonly RunState[];

/** Whether it waits or is under way. */
export function isUnfinished(state: RunState): boolean {
  return state === "pending" || state === "running";
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

/** `GET /api/overview`: all that the list shows. Events of `GET /api/overview/events` have the runs that have changed, first all. */
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
  /** Whether it has looked at its images. */
  readonly has_data: boolean;
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
