import { type Command, Option } from "commander";
import type { CasslClient } from "../client/client.js";
import { choosePython } from "../controller/worker-process.js";
import { CasslError } from "../core/errors.js";
import type { Dashboard } from "../dashboard/dashboard.js";
import type { Run } from "../gen/cassl/v1/run.js";
import { type Config, type GateName, toRunConfig, withOverriddenGates } from "../pipeline/config.js";
import { readConfig } from "./config-file.js";
import { createView } from "./create-view.js";
import { DEFAULT_UI_PORT, openDashboard } from "./dashboard.js";
import { followRun, printResult } from "./follow.js";
import { interruptSignal } from "./interrupt.js";
import { withLocalController } from "./local-controller.js";
import {
  jsonOption,
  type LocalOptions,
  localOptions,
  overrideGateOption,
  runIdOption,
  trackingOptions,
  workspaceBeside,
} from "./options.js";
import type { ProgressView } from "./progress-view.js";
import { runFiles } from "./run-files.js";
import { defaultRunId, retriedRunId } from "./run-id.js";
import { type SinkOptions, withSinks } from "./sinks.js";
import { webhookOption } from "./webhook.js";

interface RunOptions extends SinkOptions, LocalOptions {
  readonly runId?: string;
  readonly overrideGate?: readonly GateName[];
  readonly ui?: true;
  readonly json?: true;
}

export function addRun(program: Command): void {
  const command = program
    .command("run")
    .description(
      "Train and compare the arms of a configuration on this machine. Finished steps are reused; an interrupted run goes on.",
    )
    .argument("<config>", "configuration, such as cassl.yaml");
  const options = [
    ...localOptions(),
    runIdOption(),
    overrideGateOption(),
    webhookOption(),
    new Option("--ui", `serve the dashboard meanwhile, on port ${DEFAULT_UI_PORT} if it is free`),
    jsonOption("print the run's events as JSON, one a line, and the result's path as the last"),
    ...trackingOptions(),
  ];
  for (const option of options) command.addOption(option);
  command.action((file: string) => run(file, command.optsWithGlobals<RunOptions>()));
}

async function run(file: string, options: RunOptions): Promise<void> {
  const config = withOverriddenGates(await readConfig(file, options.set ?? []), options.overrideGate ?? []);
  const interrupted = interruptSignal();
  const view = createView(options.json ?? false);
  try {
    await withSinks(view, options, choosePython(options.python), (told) =>
      runHere(config, workspaceBeside(file, options.workspace), options, told, interrupted),
    );
  } finally {
    view.close();
  }
}

async function runHere(
  config: Config,
  workspace: string,
  options: RunOptions,
  view: ProgressView,
  interrupted: AbortSignal,
): Promise<void> {
  const { runId, ui, json = false } = options;
  const where = { ...options, workspace, executor: config.executor };
  await withLocalController(where, view, async (client, { parts }) => {
    let dashboard: Dashboard | undefined;
    try {
      if (ui) {
        dashboard = await openDashboard(parts, { host: "127.0.0.1" });
        view.note(`Dashboard at ${dashboard.url}`);
      }
      const finished = await runOn(client, config, runId, view, interrupted);
      await printResult(runFiles(workspace, finished.run_id).result, json);
    } finally {
      await dashboard?.stop();
    }
  });
}

/** Creates the run and follows it to its end. CANCELLED if it is interrupted. */
async function runOn(
  client: CasslClient,
  config: Config,
  givenId: string | undefined,
  view: ProgressView,
  interrupted: AbortSignal,
): Promise<Run> {
  try {
    const runs = await client.listRuns();
    const runId = givenId === undefined ? defaultRunId(config.name, new Date(), runs) : retriedRunId(givenId, runs);
    interrupted.throwIfAborted();
    await client.createRun(runId, toRunConfig(config));
    view.note(`Run ${runId}`);
    const cancel = (): void => {
      view.note("Stopping; press Ctrl-C again to stop at once.");
      client.cancelRun(runId).catch((error: Error) => view.note(error.message));
    };
    if (interrupted.aborted) cancel();
    else interrupted.addEventListener("abort", cancel);
    return await followRun(client, runId, view);
  } catch (error) {
    throw CasslError.from(error).reason === "CANCELLED" ? stopped(error) : error;
  }
}

function stopped(cause: unknown): CasslError {
  return new CasslError(
    "CANCELLED",
    "The run was stopped.",
    "Run the same command to go on from the last checkpoint.",
    { cause },
  );
}
