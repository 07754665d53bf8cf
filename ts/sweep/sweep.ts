/** A sweep: trials one after the other, each on rungs of a growing share of its iterations, until it falls behind. */
import type { Config } from "../pipeline/config.js";
import type { Optimizer } from "./optimizer.js";
import { type Dimension, type Point, pointOf } from "./space.js";

type Solver = Config["stages"]["warmup"]["solver"];

export type TrialState = "complete" | "stopped" | "failed";

export interface SweptTrial {
  readonly trial: number;
  readonly point: Point;
  readonly state: TrialState;
  /** Of the whole trial, as a fraction; absent unless it is complete. */
  readonly ap?: number;
  readonly rungs: readonly SweptRung[];
  /** Why it failed. */
  readonly message?: string;
}

export interface SweptRung {
  /** Of the iterations. */
  readonly share: number;
  readonly run: string;
  readonly ap: number;
}

/** What a run of one configuration came to. */
export type Outcome = { readonly run: string; readonly ap: number } | { readonly failure: string };

export interface SweepOptions {
  readonly dimensions: readonly Dimension[];
  readonly trials: number;
  readonly rungs: number;
  readonly reduction: number;
  /** @param share of the iterations. */
  run(point: Point, share: number, trial: number): Promise<Outcome>;
}

export async function sweep(optimizer: Optimizer, options: SweepOptions): Promise<SweptTrial[]> {
  const finished: SweptTrial[] = [];
  for (let count = 0; count < options.trials; count++) {
    const { trial, values } = await optimizer.ask();
    const swept = await runTrial(trial, pointOf(options.dimensions, values), optimizer, options);
    await optimizer.tell(trial, swept.ap);
    finished.push(swept);
  }
  return finished;
}

async function runTrial(
  trial: number,
  point: Point,
  optimizer: Optimizer,
  { rungs: count, reduction, run }: SweepOptions,
): Promise<SweptTrial> {
  const rungs: SweptRung[] = [];
  for (let rung = 0; rung < count; rung++) {
    const share = 1 / reduction ** (count - 1 - rung);
    const outcome = await run(point, share, trial);
    if ("failure" in outcome) return { trial, point, state: "failed", rungs, message: outcome.failure };
    rungs.push({ share, ...outcome });
    if (rung === count - 1) return { trial, point, state: "complete", ap: outcome.ap, rungs };
    if (await optimizer.report(trial, rung, outcome.ap)) break;
  }
  return { trial, point, state: "stopped", rungs };
}

/** The configuration with a share of the iterations in every stage, and of what leads up to the peak learning rate. */
export function shortened(config: Config, share: number): Config {
  if (share === 1) return config;
  const { pseudo_label, warmup, finetune } = config.stages;
  const shorten = <T extends { readonly solver: Solver }>(stage: T): T => {
    const iterations = Math.max(2, Math.round(stage.solver.iterations * share));
    const lr_ramp_iterations = Math.min(iterations - 1, Math.round(stage.solver.lr_ramp_iterations * share));
    return { ...stage, solver: { ...stage.solver, iterations, lr_ramp_iterations } };
  };
  const stages = { pseudo_label: shorten(pseudo_label), warmup: shorten(warmup), finetune: shorten(finetune) };
  return { ...config, stages };
}

/** Complete trials by AP, then those that came furthest, then those that failed. */
export function ranked(trials: readonly SweptTrial[]): SweptTrial[] {
  const last = ({ rungs }: SweptTrial): number => rungs.at(-1)?.ap ?? -1;
  return [...trials].sort(
    (a, b) => (b.ap ?? -1) - (a.ap ?? -1) || b.rungs.length - a.rungs.length || last(b) - last(a) || a.trial - b.trial,
  );
}
