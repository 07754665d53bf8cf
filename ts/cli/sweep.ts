import { resolve } from "node:path";
import { type Command, Option } from "commander";
import type { CasslClient } from "../client/client.js";
import { choosePython } from "../controller/worker-process.js";
import { CasslError } from "../core/errors.js";
import { shellCommand } from "../core/shell-command.js";
import { readText } from "../core/text-file.js";
import { ARMS, type Arm, type Config } from "../pipeline/config.js";
import { configHash } from "../pipeline/pipeline.js";
import { configAt } from "../sweep/configure.js";
import { startOptimizer } from "../sweep/optimizer.js";
import { type Dimension, gridSize, type Point, parseSpace, probes } from "../sweep/space.js";
import { type Outcome, ranked, shortened, sweep } from "../sweep/sweep.js";
import { type ToldCommand, tellingEnd } from "./command-webhook.js";
import { cancelRuns, completeRuns } from "./compare-runs.js";
import { readConfig } from "./config-file.js";
import { createView } from "./create-view.js";
import { interruptSignal } from "./interrupt.js";
import { withLocalController } from "./local-controller.js";
import { countParser, jsonOption, type LocalOptions, localOptions, workspaceBeside } from "./options.js";
import type { ProgressView } from "./progress-view.js";
import { describePoint, OPTIMISTIC, shareText, sweepTable, writeSweep } from "./sweep-output.js";
import { webhookOption } from "./webhook.js";

interface SweepOptions extends LocalOptions {
  readonly grid?: string;
  readonly space?: string;
  readonly trials?: number;
  readonly arm: Arm;
  readonly rungs: number;
  readonly reduction: number;
  readonly webhook?: URL;
  readonly json?: true;
}

const DEFAULT_TRIALS = 20;
/** With 1 the rungs would all have the whole of the iterations. */
const LEAST_REDUCTION = 2;

export function addSweep(program: Command): void {
  const command = program
    .command("sweep")
    .description(
      "Find good values of fields of a configuration: trials are runs of one arm, chosen by optuna, each first with a share " +
        "of its iterations; those that fall behind stop there. An interrupted sweep goes on when the same command is given again.",
    )
    .argument("<config>", "configuration, such as cassl.yaml")
    .option("--grid <file>", "YAML of dotted paths and lists of values, of which all combinations are tried")
    .option("--space <file>", "YAML of dotted paths and lists or ranges, such as {min: 0.001, max: 0.01, log: true}")
    .addOption(
      new Option("--trials <count>", `how many (default: ${DEFAULT_TRIALS}, or all of a grid)`).argParser(
        countParser(4),
      ),
    )
    .addOption(new Option("--arm <name>", "whose AP counts").choices(ARMS).default("class_agnostic"))
    .addOption(
      new Option("--rungs <count>", "how often a trial is looked at; 1: none is stopped early")
        .argParser(countParser(1))
        .default(3),
    )
    .addOption(
      new Option("--reduction <factor>", "by how much a rung has fewer iterations than the next, and lets fewer go on")
        .argParser(countParser(1, LEAST_REDUCTION))
        .default(3),
    );
  const others = [
    ...localOptions(),
    webhookOption("the sweep has ended"),
    jsonOption("print the runs' events as JSON, one a line, and the path of sweep.json as the last"),
  ];
  for (const option of others) command.addOption(option);
  command.action((file: string) => runSweep(file, command.optsWithGlobals<SweepOptions>()));
}

async function runSweep(file: string, options: SweepOptions): Promise<void> {
  const { arm, rungs } = options;
  const base = { ...(await readConfig(file, options.set ?? [])), arms: [arm] };
  const { dimensions, sampler } = await readSpace(options);
  for (const point of probes(dimensions)) configAt(base, point);
  const trials = trialsOf(dimensions, sampler, options.trials);
  const reduction = rungs === 1 ? 1 : options.reduction;

  const interrupted = interruptSignal();
  const view = createView(options.json ?? false);
  const told: ToldCommand = { url: options.webhook, event: "sweep_ended", name: base.name, note: view.note };
  const plan = { dimensions, sampler, trials, reduction };
  try {
    await tellingEnd(told, () => sweepHere(file, options, base, plan, view, interrupted));
  } finally {
    view.close();
  }
}

interface SweepPlan {
  readonly dimensions: readonly Dimension[];
  readonly sampler: "grid" | "tpe";
  readonly trials: number;
  readonly reduction: number;
}

/** @returns what is told of it. */
async function sweepHere(
  file: string,
  options: SweepOptions,
  base: Config,
  { dimensions, sampler, trials, reduction }: SweepPlan,
  view: ProgressView,
  interrupted: AbortSignal,
): Promise<object> {
  const { arm, rungs, python, json = false } = options;
  const workspace = workspaceBeside(file, options.workspace);
  const finished = await withLocalController(
    { ...options, workspace, executor: base.executor },
    view,
    async (client) => {
      const optimizer = startOptimizer(choosePython(python), { dimensions, sampler, seed: base.seed, reduction });
      const run = (point: Point, share: number, trial: number): Promise<Outcome> => {
        view.note(`Trial ${trial + 1} of ${trials}, ${shareText(share)} of the iterations: ${describePoint(point)}`);
        return runPoint(client, base, point, share, view, interrupted);
      };
      return sweep(optimizer, { dimensions, trials, rungs, reduction, run }).finally(() => optimizer.close());
    },
  );
  const command = commandOf(file, options, trials);
  const path = await writeSweep(workspace, base, { command, arm, dimensions, trials: finished });
  if (json) console.log(JSON.stringify({ sweep: path }));
  else console.log(`${sweepTable(dimensions, finished)}\n\n${OPTIMISTIC}\n\n${path}`);
  return { result: path, best: ranked(finished).find(({ state }) => state === "complete") };
}

async function readSpace({ grid, space }: SweepOptions): Promise<{ dimensions: Dimension[]; sampler: "grid" | "tpe" }> {
  const file = grid ?? space;
  if (file === undefined || (grid !== undefined && space !== undefined)) {
    throw new CasslError("CONFIG_INVALID", "One of --grid and --space says what to vary.", "Give one of them.");
  }
  const text = await readText(resolve(file), file);
  return { dimensions: parseSpace(text, file), sampler: grid === undefined ? "tpe" : "grid" };
}

function trialsOf(dimensions: readonly Dimension[], sampler: "grid" | "tpe", wanted: number | undefined): number {
  return sampler === "tpe"
    ? (wanted ?? DEFAULT_TRIALS)
    : Math.min(wanted ?? Number.POSITIVE_INFINITY, gridSize(dimensions));
}

/** What the values make impossible, or a gate or a divergence ends, is a failed trial; anything else ends the sweep. */
async function runPoint(
  client: CasslClient,
  base: Config,
  point: Point,
  share: number,
  view: ProgressView,
  interrupted: AbortSignal,
): Promise<Outcome> {
  try {
    const config = shortened(configAt(base, point), share);
    const [arm = "class_agnostic"] = config.arms;
    const run_id = `${base.name.slice(0, 40)}-sweep-${configHash(config).slice(0, 12)}`;
    const runs = [{ run_id, arm, seed: config.seed, percent: undefined, config }];
    const cancel = (): void => {
      cancelRuns(client, runs).catch((error: Error) => view.note(error.message));
    };
    interrupted.addEventListener("abort", cancel);
    const { finished, stopped } = await completeRuns(client, runs, view, interrupted).finally(() =>
      interrupted.removeEventListener("abort", cancel),
    );
    const ap = finished[0]?.result.arms[0]?.ap;
    return ap === undefined ? { failure: stopped[0]?.message ?? "it has no result" } : { run: run_id, ap };
  } catch (error) {
    const { reason, message } = CasslError.from(error);
    if (interrupted.aborted) throw stoppedSweep(error);
    if (reason !== "CONFIG_INVALID" && reason !== "TRAINING_DIVERGED") throw error;
    view.note(message);
    return { failure: message };
  }
}

function stoppedSweep(cause: unknown): CasslError {
  const remedy = "Give the same command to go on from the last checkpoint.";
  return new CasslError("CANCELLED", "The sweep was stopped.", remedy, { cause });
}

function commandOf(
  file: string,
  { grid, space, arm, rungs, reduction, set = [] }: SweepOptions,
  trials: number,
): string {
  return shellCommand([
    ...["cassl", "sweep", file],
    ...(grid === undefined ? [] : ["--grid", grid]),
    ...(space === undefined ? [] : ["--space", space]),
    ...["--trials", String(trials), "--arm", arm, "--rungs", String(rungs), "--reduction", String(reduction)],
    ...set.flatMap(({ key, value }) => ["--set", `${key}=${value}`]),
  ]);
}
