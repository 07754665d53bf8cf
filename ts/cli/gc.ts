import { existsSync } from "node:fs";
import type { Command } from "commander";
import { bytesOf, findGarbage, type Garbage, removeArtifacts } from "../controller/garbage.js";
import { openWorkspace } from "../controller/workspace.js";
import { CasslError } from "../core/errors.js";
import { formatBytes } from "../report/format.js";
import { jsonOption, workspaceHere, workspaceOption } from "./options.js";
import { textTable } from "./table.js";

interface GcOptions {
  readonly workspace?: string;
  readonly delete?: true;
  readonly json?: true;
}

const SHOWN = 20;

export function addGc(program: Command): void {
  program
    .command("gc")
    .description(
      "Show which artifacts of a workspace neither a run nor a finished step needs, and how much they take. " +
        "Nothing is removed without --delete. No controller may use the workspace meanwhile.",
    )
    .addOption(workspaceOption("in the working folder"))
    .option("--delete", "remove them")
    .addOption(jsonOption("print one JSON object"))
    .action(gc);
}

async function gc({ workspace: given, delete: remove, json }: GcOptions): Promise<void> {
  const workspace = workspaceHere(given);
  if (!existsSync(workspace)) {
    const message = `There is no workspace ${workspace}.`;
    throw new CasslError("FILE_NOT_FOUND", message, "--workspace names another folder.");
  }
  const opened = await openWorkspace(workspace);
  try {
    const garbage = await findGarbage(opened.artifactFolder, opened.state);
    if (remove) await removeArtifacts(opened.artifactFolder, garbage.unneeded);
    console.log(json ? garbageJson(garbage, remove ?? false) : garbageText(garbage, remove ?? false));
  } finally {
    opened.close();
  }
}

function garbageJson({ needed, unneeded }: Garbage, deleted: boolean): string {
  return JSON.stringify({ needed, unneeded, bytes: bytesOf(unneeded), deleted });
}

function garbageText({ needed, unneeded }: Garbage, deleted: boolean): string {
  const rows = unneeded.slice(0, SHOWN).map(({ sha256, size_bytes }) => [sha256, formatBytes(size_bytes)]);
  const more = unneeded.length - rows.length;
  const what = `${unneeded.length} artifacts, ${formatBytes(bytesOf(unneeded))}`;
  return [
    ...(rows.length === 0 ? [] : [textTable({ header: ["not needed", "size"], rows })]),
    ...(more > 0 ? [`and ${more} smaller ones`] : []),
    `Needed: ${needed.artifacts} artifacts, ${formatBytes(needed.bytes)}.`,
    `Not needed: ${what}.${deleted ? " They are removed." : ""}`,
    ...(deleted || unneeded.length === 0 ? [] : ["Nothing was removed; --delete does that."]),
  ].join("\n");
}
