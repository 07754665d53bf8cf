import type { Command } from "commander";
import { CasslClient } from "../client/client.js";
import { controllerOption, jsonOption } from "./options.js";
import { stateName } from "./runs.js";

interface CancelOptions {
  readonly controller: string;
  readonly json?: true;
}

export function addCancel(program: Command): void {
  program
    .command("cancel")
    .description(
      "Cancel a run of a controller. Finished steps and checkpoints stay, so that the same configuration can go on.",
    )
    .argument("<run>", "id of the run")
    .addOption(controllerOption())
    .addOption(jsonOption())
    .action(cancel);
}

/** The run may need a moment to stop: what is printed is its state as the controller took the request. */
async function cancel(runId: string, { controller, json }: CancelOptions): Promise<void> {
  const client = new CasslClient(controller);
  try {
    const { run_id, state } = await client.cancelRun(runId);
    console.log(
      json ? JSON.stringify({ run: run_id, state: stateName(state) }) : `${run_id}: ${sentence(stateName(state))}`,
    );
  } finally {
    client.close();
  }
}

function sentence(state: string): string {
  return state === "pending" || state === "running" ? "is being cancelled" : state;
}
