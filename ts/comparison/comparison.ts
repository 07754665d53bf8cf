/** What the runs of a design say about its arms. Pure functions. */
import { type BootstrapOptions, pairedDifference } from "../evaluation/diagnosis/index.js";
import type { Arm } from "../pipeline/config.js";
import type {
  ArmDifference,
  ArmSummary,
  Comparison,
  ComparisonGroup,
  SeededAp,
  Spread,
  StoppedRun,
  Trial,
} from "./results.js";
import { comparisonNotes, verdict } from "./verdict.js";

export interface ComparisonContext {
  readonly validation_images: number;
  readonly bootstrap: Required<BootstrapOptions>;
}

/** @param trials in the order of the design. */
export function compareTrials(
  trials: readonly Trial[],
  stopped: readonly StoppedRun[],
  { validation_images, bootstrap }: ComparisonContext,
): Comparison {
  const groups = groupBy(trials, ({ run, result }) => JSON.stringify([run.percent, result.target])).map((group) =>
    summarizeGroup(group, bootstrap),
  );
  return {
    validation_images,
    resamples: bootstrap.resamples,
    groups,
    stopped: stopped.map(({ run, message }) => ({ run: run.run_id, message })),
    notes: comparisonNotes(groups, stopped, validation_images),
  };
}

function summarizeGroup(trials: readonly Trial[], bootstrap: Required<BootstrapOptions>): ComparisonGroup {
  const first = trials[0] as Trial;
  const byArm = groupBy(trials, ({ run }) => run.arm);
  const { percent } = first.run;
  return {
    ...(percent === undefined ? {} : { percent }),
    labeled_images: first.result.labeled_images,
    target: first.result.target,
    arms: byArm.map(summarizeArm),
    differences: armDifferences(
      trials.map(({ run: { arm, seed }, resampled }) => ({ arm, seed, resampled })),
      bootstrap,
    ),
  };
}

/** @param aps on the same validation set, resampled with the same options; the arms in their order. */
export function armDifferences(aps: readonly SeededAp[], bootstrap: Required<BootstrapOptions>): ArmDifference[] {
  return comparedPairs([...new Set(aps.map(({ arm }) => arm))]).flatMap(([arm, baseline]) =>
    compareArms(aps, arm, baseline, bootstrap),
  );
}

function summarizeArm(trials: readonly Trial[]): ArmSummary {
  const first = trials[0] as Trial;
  const spread = (metric: (trial: Trial) => number): Spread => spreadOf(trials.map(metric));
  return {
    arm: first.run.arm,
    seeds: trials.map(({ run }) => run.seed),
    ap: spread(({ result }) => result.ap),
    ap50: spread(({ result }) => result.ap50),
    ap75: spread(({ result }) => result.ap75),
    class_agnostic_ap: spread(({ result }) => result.class_agnostic_ap),
    oracle_class_ap: spread((trial) => trial.oracle_class_ap),
    total_iterations: first.result.total_iterations,
    seconds: spread(({ seconds }) => seconds).mean,
  };
}

/** Every other arm with `supervised`, or else the first one, and CA-SSL with its class-specific twin. */
function comparedPairs(arms: readonly Arm[]): (readonly [Arm, Arm])[] {
  const baseline = arms.find((arm) => arm === "supervised") ?? arms[0];
  const others = arms.filter((arm) => arm !== baseline);
  const pairs = baseline === undefined ? [] : others.map((arm) => [arm, baseline] as const);
  const areTwins = others.includes("class_agnostic") && others.includes("class_specific");
  return areTwins ? [...pairs, ["class_agnostic", "class_specific"]] : pairs;
}

/** None if no seed has a result of both. */
function compareArms(
  aps: readonly SeededAp[],
  arm: Arm,
  baseline: Arm,
  bootstrap: Required<BootstrapOptions>,
): ArmDifference[] {
  const partners = new Map(aps.filter((ap) => ap.arm === baseline).map((ap) => [ap.seed, ap]));
  const pairs = aps.flatMap((first) => {
    const second = partners.get(first.seed);
    return first.arm === arm && second !== undefined ? [{ seed: first.seed, first, second }] : [];
  });
  if (pairs.length === 0) return [];
  const { perPair, lower, upper } = pairedDifference(
    pairs.map(({ first }) => first.resampled),
    pairs.map(({ second }) => second.resampled),
    bootstrap,
  );
  const compared = {
    arm,
    baseline,
    seeds: pairs.map(({ seed }) => seed),
    difference: spreadOf(perPair),
    interval: [lower, upper] as const,
    confidence: bootstrap.confidence,
  };
  return [{ ...compared, verdict: verdict(compared) }];
}

export function spreadOf(values: readonly number[]): Spread {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  if (values.length < 2) return { mean, values };
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { mean, standard_deviation: Math.sqrt(squares / (values.length - 1)), values };
}

function groupBy<T>(items: readonly T[], keyOf: (item: T) => string): T[][] {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const key = keyOf(item);
    groups.set(key, [...(groups.get(key) ?? []), item]);
  }
  return [...groups.values()];
}
