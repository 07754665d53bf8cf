import { type Command, InvalidArgumentError, Option } from "commander";
import type { CasslClient } from "../client/client.js";
import { compareTrials } from "../comparison/comparison.js";
import { type ComparisonDesign, type DesignedRun, designRuns } from "../comparison/design.js";
import type { Comparison, Trial } from "../comparison/results.js";
import { readGroundTruth, requireSameData, trialsOf } from "../comparison/trials.js";
import { CasslError } from "../core/errors.js";
import { shellCommand } from "../core/shell-command.js";
import { readAnnotations } from "../data/formats/read-annotations.js";
import { ARMS, type Arm, type Config, type GateName, LABELING_ARMS, withOverriddenGates } from "../pipeline/config.js";
import { verdicts } from "../report/comparison-tables.js";
import { formatDuration } from "../report/format.js";
import { type ToldCommand, tellingEnd } from "./command-webhook.js";
import { type ComparisonFiles, printComparison, writeComparison } from "./compare-output.js";
import { cancelRuns, completeRuns, planRuns, type RunOutcomes } from "./compare-runs.js";
import { readConfig } from "./config-file.js";
import { createView } from "./create-view.js";
import { interruptSignal } from "./interrupt.js";
import { withLocalController } from "./local-controller.js";
import {
  countParser,
  jsonOption,
  type LocalOptions,
  localOptions,
  overrideGateOption,
  parseNames,
  workspaceBeside,
} from "./options.js";
import type { ProgressView } from "./progress-view.js";
import { webhookOption } from "./webhook.js";

interface CompareOptions extends LocalOptions {
  readonly arms: readonly Arm[];
  readonly seeds: number;
  readonly fractions?: readonly number[];
  readonly resamples: number;
  readonly overrideGate?: readonly GateName[];
  readonly webhook?: URL;
  readonly json?: true;
}

/** Without the baselines that have trainings of their own. */
const THREE_STAGES: Arm[] = ["supervised", ...LABELING_ARMS];
const CONFIDENCE = 0.95;
const DEFAULT_RESAMPLES = 1000;

export function addCompare(program: Command): void {
  const command = program
    .command("compare")
    .description(
      "Find out whether an arm helps on these data: every arm with several seeds, and with shares of the labels, at the " +
        "same total of training iterations; then paired differences with intervals and a verdict. " +
        "An interrupted comparison goes on when the same command is given again.",
    )
    .argument("<config>", "configuration, such as cassl.yaml")
    .addOption(
      new Option("--arms <names>", "arms, with commas between them")
        .argParser(parseArms)
        .default(THREE_STAGES, THREE_STAGES.join(",")),
    )
    .addOption(new Option("--seeds <count>", "how many seeds").argParser(countParser(3)).default(3))
    .addOption(
      new Option(
        "--fractions <percents>",
        "shares of the labeled images, such as 1,5,10 (default: as configured)",
      ).argParser(parsePercents),
    )
    .addOption(
      new Option("--resamples <count>", "samples of the bootstrap")
        .argParser(countParser(6))
        .default(DEFAULT_RESAMPLES),
    );
  const others = [
    ...localOptions(),
    overrideGateOption(),
    webhookOption("the comparison has ended"),
    jsonOption("print the runs' events as JSON, one a line, and the result's path as the last"),
  ];
  for (const option of others) command.addOption(option);
  command.action((file: string) => compare(file, command.optsWithGlobals<CompareOptions>()));
}

async function compare(file: string, options: CompareOptions): Promise<void> {
  const config = withOverriddenGates(await readConfig(file, options.set ?? []), options.overrideGate ?? []);
  const { arms, seeds, fractions: percents = [], json = false, webhook } = options;
  const runs = await design(config, { arms, seeds, percents });
  const interrupted = interruptSignal();
  const view = createView(json);
  const told: ToldCommand = { url: webhook, event: "comparison_ended", name: config.name, note: view.note };
  try {
    await tellingEnd(told, () => compareHere(file, options, config, runs, view, interrupted));
  } finally {
    view.close();
  }
}

/** @returns what is told of it. */
async function compareHere(
  file: string,
  options: CompareOptions,
  config: Config,
  runs: readonly DesignedRun[],
  view: ProgressView,
  interrupted: AbortSignal,
): Promise<object> {
  const workspace = workspaceBeside(file, options.workspace);
  const { json = false, resamples } = options;
  return withLocalController({ ...options, workspace, executor: config.executor }, view, async (client) => {
    const outcomes = await complete(client, runs, view, interrupted);
    const comparison = await conclude(client, outcomes, resamples, config.seed);
    const command = commandOf(file, options);
    const files = await writeComparison({ config, runs, outcomes, comparison, workspace, command });
    finish(comparison, files, json);
    return { result: files.result, verdicts: verdicts(comparison), notes: comparison.notes };
  });
}

async function design(config: Config, wanted: ComparisonDesign): Promise<DesignedRun[]> {
  const { labeled, bad_boxes } = config.data;
  const count = wanted.percents.length === 0 ? 0 : (await readAnnotations(labeled, bad_boxes)).images.length;
  return designRuns(config, wanted, count);
}

/** CANCELLED if it is interrupted; the runs are cancelled then, so that they go on next time. */
async function complete(
  client: CasslClient,
  runs: readonly DesignedRun[],
  view: ProgressView,
  interrupted: AbortSignal,
): Promise<RunOutcomes> {
  try {
    const seconds = await planRuns(client, runs, interrupted);
    const time = seconds === undefined ? "" : `, about ${formatDuration(seconds)} of work left`;
    view.note(`${runs.length} runs${time}.`);
    return await completeRuns(client, runs, view, interrupted);
  } catch (error) {
    if (!interrupted.aborted) throw error;
    view.note("Stopping; press Ctrl-C again to stop at once.");
    await cancelRuns(client, runs);
    const remedy = "Give the same command to go on from the last checkpoint.";
    throw new CasslError("CANCELLED", "The comparison was stopped.", remedy, { cause: error });
  }
}

async function conclude(
  client: CasslClient,
  { finished, stopped }: RunOutcomes,
  resamples: number,
  seed: number,
): Promise<Comparison> {
  requireSameData(finished);
  const bootstrap = { resamples, seed, confidence: CONFIDENCE };
  const read = (sha256: string): Promise<Uint8Array> => client.getArtifact(sha256);
  const [first] = finished;
  if (first === undefined) return compareTrials([], stopped, { validation_images: 0, bootstrap });
  const groundTruth = await readGroundTruth(first.result, read);
  const trials: Trial[] = [];
  for (const run of finished) trials.push(...(await trialsOf(run, groundTruth, read, bootstrap)));
  return compareTrials(trials, stopped, { validation_images: groundTruth.images.length, bootstrap });
}

/** GATE_FAILED if gates have left nothing to compare. */
function finish(comparison: Comparison, files: ComparisonFiles, json: boolean): void {
  printComparison(comparison, files, json);
  const isCompared = comparison.groups.some(({ differences }) => differences.length > 0);
  if (isCompared || comparison.stopped.length === 0) return;
  throw new CasslError(
    "GATE_FAILED",
    `Gates have stopped ${comparison.stopped.length} runs, and no two arms are left to compare.`,
    "The messages above say why, and what to do.",
  );
}

function commandOf(
  file: string,
  { arms, seeds, fractions, resamples, set = [], overrideGate = [] }: CompareOptions,
): string {
  return shellCommand([
    ...["cassl", "compare", file, "--arms", arms.join(","), "--seeds", String(seeds)],
    ...(fractions === undefined ? [] : ["--fractions", fractions.join(",")]),
    ...(resamples === DEFAULT_RESAMPLES ? [] : ["--resamples", String(resamples)]),
    ...set.flatMap(({ key, value }) => ["--set", `${key}=${value}`]),
    ...overrideGate.flatMap((name) => ["--override-gate", name]),
  ]);
}

function parseArms(text: string): Arm[] {
  return parseNames(text).map((name) => {
    const arm = ARMS.find((known) => known === name);
    if (arm === undefined) throw new InvalidArgumentError(`The arms are ${ARMS.join(", ")}.`);
    return arm;
  });
}

function parsePercents(text: string): number[] {
  return text.split(",").map((part) => {
    const percent = Number(part);
    if (part.trim() === "" || !Number.isFinite(percent))
      throw new InvalidArgumentError("It must be numbers of per cent.");
    return percent;
  });
}
