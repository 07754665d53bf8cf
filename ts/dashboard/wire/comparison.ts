/** What the server says to the page that compares runs, as JSON. AP values are fractions. */
import type { RunState } from "../../core/run-state.js";
import type { TextTable } from "./requests.js";
import type { ArmScore } from "./runs.js";

export const MOST_COMPARED = 8;

/** `GET /api/comparison?run=ID&run=ID...`. */
export interface RunComparison {
  /** In the order in which they were asked for. */
  readonly runs: readonly ComparedRun[];
  /** What makes the APs no fair comparison, in sentences. */
  readonly warnings: readonly string[];
  /** The detectors of all runs, in the order of the runs. */
  readonly detectors: readonly ComparedDetector[];
}

export interface ComparedRun {
  readonly id: string;
  readonly state: RunState;
  readonly config: unknown;
  readonly curves: readonly ComparedCurve[];
}

/** Of a training step. */
export interface ComparedCurve {
  /** Such as `class_agnostic/finetune`. */
  readonly step: string;
  /** By ascending iteration. */
  readonly points: readonly CurvePoint[];
}

export type CurvePoint = readonly [iteration: number, loss: number, learningRate: number];

export interface ComparedDetector extends ArmScore {
  readonly run: string;
  readonly seed: number;
  readonly labeled_images: number;
  readonly total_iterations: number;
}

/** `GET /api/comparison/differences?run=ID&run=ID...&baseline=N`: of AP, by the paired bootstrap over the validation images. */
export interface ApDifferences {
  readonly confidence: number;
  readonly resamples: number;
  /** One a detector: null for the baseline, and for those that were judged on other images. */
  readonly differences: readonly (ApDifference | null)[];
}

export interface ApDifference {
  /** The detector's AP less that of the baseline. */
  readonly difference: number;
  readonly lower: number;
  readonly upper: number;
}

/** `GET /api/comparisons`: those that `cassl compare` has concluded in the workspace, a row each. */
export interface ConcludedRow {
  readonly id: string;
  /** ms since 1970. */
  readonly finished: number;
  /** How many there are. */
  readonly runs: number;
  readonly verdicts: readonly string[];
  /** Why it cannot be read. */
  readonly fault?: string;
}

/** `GET /api/comparisons/ID`. */
export interface ConcludedComparison {
  readonly id: string;
  /** ms since 1970. */
  readonly finished: number;
  /** How it is made again. */
  readonly command: string;
  readonly runs: readonly string[];
  readonly verdicts: readonly string[];
  /** What to bear in mind. */
  readonly notes: readonly string[];
  readonly method: string;
  readonly groups: readonly { readonly title: string; readonly arms: TextTable; readonly differences: TextTable }[];
}
