import { type Command, InvalidArgumentError, Option } from "commander";
import { type GateName, toRunConfig, withOverriddenGates } from "../pipeline/config.js";
import { type Override, readConfig } from "./config-file.js";
import { type ConnectionFlags, connectionOptions, controllerOption, withController } from "./connection.js";
import { jsonOption, overrideGateOption, runIdOption, setOption, workspaceBeside, workspaceOption } from "./options.js";
import { defaultRunId } from "./run-id.js";
import { watchToEnd } from "./watch.js";

interface SubmitOptions extends ConnectionFlags {
  readonly runId?: string;
  readonly watch?: true;
  readonly workspace?: string;
  readonly set?: readonly Override[];
  readonly overrideGate?: readonly GateName[];
  readonly priority: number;
  readonly json?: true;
}

export function addSubmit(program: Command): void {
  const command = program
    .command("submit")
    .description(
      "Send a run to a controller, and print its id. The same id with the same configuration is the same run.",
    )
    .argument("<config>", "configuration, such as cassl.yaml")
    .addOption(controllerOption())
    .addOption(runIdOption())
    .addOption(setOption())
    .addOption(overrideGateOption())
    .addOption(
      new Option("--priority <number>", "higher goes first; runs of equal priority share the workers")
        .default(0)
        .argParser(parsePriority),
    )
    .option("--watch", "follow the run to its end, like `cassl watch`")
    .addOption(workspaceOption("beside the configuration"))
    .addOption(jsonOption());
  for (const option of connectionOptions()) command.addOption(option);
  command.action(submit);
}

async function submit(file: string, options: SubmitOptions): Promise<void> {
  const config = withOverriddenGates(await readConfig(file, options.set ?? []), options.overrideGate ?? []);
  await withController(options, async (client) => {
    const runId = options.runId ?? defaultRunId(config.name, new Date(), await client.listRuns());
    await client.createRun(runId, toRunConfig(config), { priority: options.priority });
    console.log(options.json ? JSON.stringify({ run: runId }) : runId);
    if (options.watch) await watchToEnd(client, runId, workspaceBeside(file, options.workspace), options.json ?? false);
  });
}

function parsePriority(text: string): number {
  const priority = Number(text);
  if (!/^[+-]?\d{1,9}$/.test(text)) throw new InvalidArgumentError("It must be a whole number of at most 9 digits.");
  return priority;
}
