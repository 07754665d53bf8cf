/** The vocabulary of a comparison. APs are fractions. */
import type { ResampledAp } from "../evaluation/diagnosis/index.js";
import type { Arm } from "../pipeline/config.js";
import type { ArmResult, RunResult } from "../pipeline/pipeline.js";
import type { DesignedRun } from "./design.js";

/** Of one arm, seed, share of the labels and target. */
export interface Trial {
  readonly run: DesignedRun;
  readonly result: ArmResult;
  /** Time of the work of its steps, whoever did it. */
  readonly seconds: number;
  readonly resampled: ResampledAp;
  /** AP if every detection had the class of the object that it covers best. */
  readonly oracle_class_ap: number;
}

/** The AP of one arm and seed. */
export interface SeededAp {
  readonly arm: Arm;
  readonly seed: number;
  readonly resampled: ResampledAp;
}

/** A run that a gate has stopped. */
export interface StoppedRun {
  readonly run: DesignedRun;
  readonly message: string;
}

/** Over seeds. */
export interface Spread {
  readonly mean: number;
  /** Of the sample; absent for one seed. */
  readonly standard_deviation?: number;
  /** In the order of the seeds. */
  readonly values: readonly number[];
}

export interface ArmSummary {
  readonly arm: Arm;
  /** Those that have a result. */
  readonly seeds: readonly number[];
  readonly ap: Spread;
  readonly ap50: Spread;
  readonly ap75: Spread;
  readonly class_agnostic_ap: Spread;
  readonly oracle_class_ap: Spread;
  /** Training iterations. */
  readonly total_iterations: number;
  /** Mean time of a run's work. */
  readonly seconds: number;
}

/** Of AP, arm less baseline, over the seeds that both have a result of. */
export interface ArmDifference {
  readonly arm: Arm;
  readonly baseline: Arm;
  readonly seeds: readonly number[];
  readonly difference: Spread;
  /** Over images and seeds. */
  readonly interval: readonly [lower: number, upper: number];
  readonly confidence: number;
  readonly verdict: string;
}

/** What is compared with each other: one share of the labels, one family of the target. */
export interface ComparisonGroup {
  /** Of the labeled images; absent if the configuration says how many. */
  readonly percent?: number;
  readonly labeled_images: number;
  readonly target: string;
  readonly arms: readonly ArmSummary[];
  readonly differences: readonly ArmDifference[];
}

export interface Comparison {
  readonly validation_images: number;
  readonly resamples: number;
  readonly groups: readonly ComparisonGroup[];
  readonly stopped: readonly { readonly run: string; readonly message: string }[];
  /** What to bear in mind when reading the numbers. */
  readonly notes: readonly string[];
}

/** result.json: that of a run, of all runs together, and what follows from them. */
export interface ComparisonResult extends Omit<RunResult, "data"> {
  /** How it is made again. */
  readonly command: string;
  readonly runs: readonly string[];
  readonly comparison: Comparison;
}

/** The folder of the workspace that has a folder for each comparison, and the files there. */
export const COMPARISONS = "comparisons";
export const COMPARISON_RESULT = "result.json";
export const COMPARISON_PAGE = "report.html";
