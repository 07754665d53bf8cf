import type { Command } from "commander";
import { CasslClient } from "../client/client.js";
import type { Controller } from "../controller/controller.js";
import { choosePython } from "../controller/worker-process.js";
import { CasslError } from "../core/errors.js";
import type { Dashboard } from "../dashboard/dashboard.js";
import type { Run } from "../gen/cassl/v1/run.js";
import { type Config, type GateName, toRunConfig, withOverriddenGates } from "../pipeline/config.js";
import { type Override, readConfig } from "./config-file.js";
import { createView } from "./create-view.js";
import { DEFAULT_UI_PORT, openDashboard } from "./dashboard.js";
import { followRun, printResult } from "./follow.js";
import { interruptSignal } from "./interrupt.js";
import { startLocalController } from "./local-controller.js";
import {
  jsonOption,
  overrideGateOption,
  pythonOption,
  rayOption,
  runIdOption,
  setOption,
  trackingOptions,
  workspaceBeside,
  workspaceOption,
} from "./options.js";
import type { ProgressView } from "./progress-view.js";
import { runFiles } from "./run-files.js";
import { defaultRunId, retriedRunId } from "./run-id.js";
import { type SinkOptions, withSinks } from "./sinks.js";
import { webhookOption } from "./webhook.js";

interface RunOptions extends SinkOptions {
  readonly workspace?: string;
  readonly python?: string;
  readonly ray?: string;
  readonly runId?: string;
  readonly set?: readonly Override[];
  readonly overrideGate?: readonly GateName[];
  readonly ui?: true;
  readonly json?: true;
  readonly debug?: true;
}

export function addRun(program: Command): void {
  const command = program
    .command("run")
    .description(
      "Train and compare the arms of a configuration on this machine. Finished steps are reused; an interrupted run goes on.",
    )
    .argument("<config>", "configuration, such as cassl.yaml")
    .addOption(workspaceOption("beside the configuration"))
    .addOption(pythonOption())
    .addOption(rayOption())
    .addOption(runIdOption())
    .addOption(setOption())
    .addOption(overrideGateOption())
    .addOption(webhookOption())
    .option("--ui", `serve the dashboard meanwhile, on port ${DEFAULT_UI_PORT} if it is free`)
    .addOption(jsonOption("print the run's events as JSON, one a line, and the result's path as the last"));
  for (const option of trackingOptions()) command.addOption(option);
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
  { runId, python, ray, debug, ui, json }: RunOptions,
  view: ProgressView,
  interrupted: AbortSignal,
): Promise<void> {
  const controller = await startLocalController({ workspace, python, ray, executor: config.executor, debug }, view);
  let dashboard: Dashboard | undefined;
  try {
    if (ui) {
      dashboard = await openDashboard(controller.parts, { host: "127.0.0.1" });
      view.note(`Dashboard at ${dashboard.url}`);
    }
    const finished = await runOn(controller, config, runId, view, interrupted);
    await printResult(runFiles(workspace, finished.run_id).result, json ?? false);
  } finally {
    await dashboard?.stop();
    await controller.stop();
  }
}

/** Creates the run and follows it to its end. CANCELLED if it is interrupted. */
async function runOn(
  { address }: Controller,
  config: Config,
  givenId: string | undefined,
  view: ProgressView,
  interrupted: AbortSignal,
): Promise<Run> {
  const client = new CasslClient(address);
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
  } finally {
    client.close();
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
