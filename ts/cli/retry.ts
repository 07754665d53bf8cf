import type { Command } from "commander";
import { type ConnectionFlags, connectionOptions, controllerOption, withController } from "./connection.js";
import { jsonOption, workspaceHere, workspaceOption } from "./options.js";
import { watchToEnd } from "./watch.js";

interface RetryOptions extends ConnectionFlags {
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
    .option("--watch", "follow the run to its end, like `cassl watch`")
    .addOption(workspaceOption("in the working folder"))
    .addOption(jsonOption());
  for (const option of connectionOptions()) command.addOption(option);
  command.action(retry);
}

async function retry(runId: string, { watch, workspace, json, ...flags }: RetryOptions): Promise<void> {
  await withController(flags, async (client) => {
    const { run_id } = await client.retryRun(runId);
    console.log(json ? JSON.stringify({ run: run_id }) : run_id);
    if (watch) await watchToEnd(client, runId, workspaceHere(workspace), json ?? false);
  });
}
