import type { Command } from "commander";
import { type RunState, stateName } from "../core/run-state.js";
import { type ConnectionFlags, connectionOptions, controllerOption, withController } from "./connection.js";
import { jsonOption } from "./options.js";

interface CancelOptions extends ConnectionFlags {
  readonly json?: true;
}

export function addCancel(program: Command): void {
  const command = program
    .command("cancel")
    .description(
      "Cancel a run of a controller. Finished steps and checkpoints stay, so that the same configuration can go on.",
    )
    .argument("<run>", "id of the run")
    .addOption(controllerOption())
    .addOption(jsonOption());
  for (const option of connectionOptions()) command.addOption(option);
  command.action(cancel);
}

/** The run may need a moment to stop: what is printed is its state as the controller took the request. */
async function cancel(runId: string, options: CancelOptions): Promise<void> {
  const { run_id, state } = await withController(options, (client) => client.cancelRun(runId));
  const name = stateName(state);
  console.log(options.json ? JSON.stringify({ run: run_id, state: name }) : `${run_id}: ${sentence(name)}`);
}

function sentence(state: RunState): string {
  return state === "pending" || state === "running" ? "is being cancelled" : state;
}
