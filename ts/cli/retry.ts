import type { Command } from "commander";
import { CasslClient } from "../client/client.js";
import { controllerOption, jsonOption, workspaceHere, workspaceOption } from "./options.js";
import { watchToEnd } from "./watch.js";

interface RetryOptions {
  readonly controller: string;
  readonly watch?: true;
  readonly workspace?: string;
  readonly json?: true;
}

export function addRetry(program: Command): void {
  program
    .command("retry")
    .description(
      "Go on with a run of a controller that has failed or was cancelled: finished steps are not done again.",
    )
    .argument("<run>", "id of the run")
    .addOption(controllerOption())
    .option("--watch", "follow the run to its end, like `cassl watch`")
    .addOption(workspaceOption("in the working folder"))
    .addOption(jsonOption())
    .action(retry);
}

async function retry(runId: string, { controller, watch, workspace, json }: RetryOptions): Promise<void> {
  const client = new CasslClient(controller);
  try {
    const { run_id } = await client.retryRun(runId);
    console.log(json ? JSON.stringify({ run: run_id }) : run_id);
    if (watch) await watchToEnd(client, runId, workspaceHere(workspace), json ?? false);
  } finally {
    client.close();
  }
}
