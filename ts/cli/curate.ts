import type { Command } from "commander";
import { openWorkspace } from "../controller/workspace.js";
import { fateTable } from "../report/tables.js";
import { type Override, readConfig } from "./config-file.js";
import { curateShown } from "./curate-shown.js";
import { interruptSignal } from "./interrupt.js";
import { jsonOption, setOption, workspaceBeside, workspaceOption } from "./options.js";
import { textTable } from "./table.js";

interface CurateOptions {
  readonly workspace?: string;
  readonly set?: readonly Override[];
  readonly json?: true;
}

export function addCurate(program: Command): void {
  program
    .command("curate")
    .description(
      "Do the first step of a run alone: look into every image, keep copies of validation images out, and say what became of each. A run reuses it.",
    )
    .argument("<config>", "configuration, such as cassl.yaml")
    .addOption(workspaceOption("beside the configuration"))
    .addOption(setOption())
    .addOption(jsonOption("print the sums and the files as JSON"))
    .action(curate);
}

async function curate(file: string, { workspace, set, json }: CurateOptions): Promise<void> {
  const config = await readConfig(file, set ?? []);
  const interrupted = interruptSignal();
  const opened = await openWorkspace(workspaceBeside(file, workspace));
  try {
    const data = await curateShown(config, opened, interrupted);
    const ledger = await opened.artifacts.path(data.ledger.sha256);
    const leaks = await opened.artifacts.path(data.leaks.sha256);
    if (json) console.log(JSON.stringify({ fates: data.fates, ledger, leaks }));
    else console.log(`${textTable(fateTable(data.fates))}\n\nLeaks: ${leaks}\nLedger, one line an image:\n${ledger}`);
  } finally {
    opened.close();
  }
}
