import type { Command } from "commander";
import type { CasslClient } from "../client/client.js";
import { choosePython } from "../controller/worker-process.js";
import { CasslError } from "../core/errors.js";
import { type ConnectionFlags, connectionOptions, controllerOption, withController } from "./connection.js";
import { createView } from "./create-view.js";
import { followRun, localResult, printResult } from "./follow.js";
import { interruptSignal } from "./interrupt.js";
import { jsonOption, trackingOptions, workspaceHere, workspaceOption } from "./options.js";
import type { ProgressView } from "./progress-view.js";
import { type SinkOptions, withSinks } from "./sinks.js";

interface WatchOptions extends ConnectionFlags, SinkOptions {
  readonly workspace?: string;
  readonly json?: true;
}

export function addWatch(program: Command): void {
  const command = program
    .command("watch")
    .description("Show a run of a controller from its beginning to its end. Ctrl-C ends the watching, not the run.")
    .argument("<run>", "id of the run")
    .addOption(controllerOption())
    .addOption(workspaceOption("in the working folder"))
    .addOption(jsonOption("print the run's events as JSON, one a line, and the result's path as the last"));
  for (const option of [...trackingOptions(), ...connectionOptions()]) command.addOption(option);
  command.action(watch);
}

async function watch(runId: string, options: WatchOptions): Promise<void> {
  const workspace = workspaceHere(options.workspace);
  const json = options.json ?? false;
  await withController(options, (client) =>
    withSinks(createView(json), options, choosePython(undefined), (view) =>
      watchToEnd(client, runId, workspace, json, view),
    ),
  );
}

export async function watchToEnd(
  client: CasslClient,
  runId: string,
  workspace: string,
  json: boolean,
  view: ProgressView = createView(json),
): Promise<void> {
  const interrupted = interruptSignal();
  try {
    const run = await followRun(client, runId, view, interrupted);
    await printResult(await localResult(client, run, workspace), json);
  } catch (error) {
    throw interrupted.aborted ? leftAlone(runId, error) : error;
  }
}

function leftAlone(runId: string, cause: unknown): CasslError {
  const remedy = `\`cassl watch ${runId}\` shows it again; \`cassl cancel ${runId}\` stops it.`;
  return new CasslError("CANCELLED", "The run is no longer watched; it goes on.", remedy, { cause });
}
