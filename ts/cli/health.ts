import type { Command } from "commander";
import { CasslError } from "../core/errors.js";
import { type ConnectionFlags, connectionOptions, controllerOption, withController } from "./connection.js";
import { jsonOption } from "./options.js";

interface HealthOptions extends ConnectionFlags {
  readonly json?: true;
}

/** Probes give up sooner: this is for a machine that is too busy to answer at once. */
const TIMEOUT_SECONDS = 30;

export function addHealth(program: Command): void {
  const command = program
    .command("health")
    .description("Ask a controller whether it serves, for probes: exit code 0 if so. Needs no token.")
    .addOption(controllerOption())
    .addOption(jsonOption());
  for (const option of connectionOptions()) command.addOption(option);
  command.action(health);
}

async function health(options: HealthOptions): Promise<void> {
  const serves = await withController(options, (client) => client.serves({ timeoutSeconds: TIMEOUT_SECONDS }));
  if (!serves) {
    const message = `The controller at ${options.controller} is about to stop.`;
    throw new CasslError("CONTROLLER_UNREACHABLE", message, "Wait for the next one.");
  }
  console.log(options.json ? JSON.stringify({ serves }) : "serving");
}
