import type { Command } from "commander";
import { openWorkspace } from "../controller/workspace.js";
import type { FateCount } from "../data/ledger.js";
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
    const path = ({ sha256 }: { readonly sha256: string }): Promise<string> => opened.artifacts.path(sha256);
    const files = {
      leaks: await path(data.leaks),
      image_table: await path(data.image_table),
      ledger: await path(data.ledger),
    };
    console.log(json ? JSON.stringify({ fates: data.fates, ...files }) : summary(data.fates, files));
  } finally {
    opened.close();
  }
}

function summary(
  fates: readonly FateCount[],
  { leaks, image_table, ledger }: Readonly<Record<"leaks" | "image_table" | "ledger", string>>,
): string {
  const lines = ["", `Leaks: ${leaks}`, `Ledger as Parquet: ${image_table}`, "Ledger, one line an image:", ledger];
  return [textTable(fateTable(fates)), ...lines].join("\n");
}
