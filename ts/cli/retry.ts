import type { Command } from "commander";
import type { GateName } from "../pipeline/config.js";
import { type ConnectionFlags, connectionOptions, controllerOption, withController } from "./connection.js";
import { jsonOption, overrideGateOption, workspaceHere, workspaceOption } from "./options.js";
import { watchToEnd } from "./watch.js";

interface RetryOptions extends ConnectionFlags {
  readonly overrideGate?: readonly GateName[];
  readonly watch?: true;
  readonly workspace?: string;
  readonly json?: true;
}

export function addRetry(program: Command): void {
  const command = program
    .command("retry")
    .description(
      "Go on with a run of a controller that has failed or was cancelled: finished steps are not done again.",
    )
    .argument("<run>", "id of the run")
    .addOption(controllerOption())
    .addOption(overrideGateOption())
    .option("--watch", "follow the run to its end, like `cassl watch`")
    .addOption(workspaceOption("in the working folder"))
    .addOption(jsonOption());
  for (const option of connectionOptions()) command.addOption(option);
  command.action(retry);
}

async function retry(runId: string, options: RetryOptions): Promise<void> {
  const { overrideGate = [], watch, workspace, json, ...flags } = options;
  await withController(flags, async (client) => {
    const goOn = overrideGate.length === 0 ? client.retryRun(runId) : client.overrideGates(runId, overrideGate);
    const { run_id } = await goOn;
    console.log(json ? JSON.stringify({ run: run_id }) : run_id);
    if (watch) await watchToEnd(client, runId, workspaceHere(workspace), json ?? false);
  });
}
