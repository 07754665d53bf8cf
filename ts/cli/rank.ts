import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Command } from "commander";
import { incomparabilities, type RankedRun } from "../comparison/comparability.js";
import { CasslError } from "../core/errors.js";
import type { Config } from "../pipeline/config.js";
import { formatAp } from "../report/format.js";
import { jsonOption, workspaceHere, workspaceOption } from "./options.js";
import { findFinishedRun, finishedRuns, readResult } from "./run-files.js";
import { textTable } from "./table.js";

interface RankOptions {
  readonly workspace?: string;
  readonly json?: true;
}

export function addRank(program: Command): void {
  program
    .command("rank")
    .description("Put finished runs side by side, best AP first, and warn of what makes them no fair comparison.")
    .argument("[runs...]", "ids of runs (default: all of the workspace)")
    .addOption(workspaceOption("in the working folder"))
    .addOption(jsonOption("print one JSON object"))
    .action(rank);
}

async function rank(ids: readonly string[], options: RankOptions): Promise<void> {
  const workspace = workspaceHere(options.workspace);
  const found =
    ids.length === 0
      ? await finishedRuns(workspace)
      : await Promise.all(ids.map((id) => findFinishedRun(workspace, id)));
  if (found.length === 0) {
    throw new CasslError(
      "RUN_NOT_FOUND",
      `There is no finished run in ${workspace}.`,
      "--workspace names another folder.",
    );
  }
  const runs = await Promise.all(found.map(({ result }) => readRun(result)));
  const rows = runs
    .flatMap(({ result }) => result.arms.map((arm) => ({ run: result.run, ...arm })))
    .sort((a, b) => b.ap - a.ap);
  const warnings = incomparabilities(runs);
  if (options.json) {
    console.log(JSON.stringify({ arms: rows, warnings }));
    return;
  }
  const header = [
    "run",
    "arm",
    "target",
    "seed",
    "labeled images",
    "iterations",
    "AP",
    "AP50",
    "AP75",
    "class-agnostic AP",
  ];
  const cells = rows.map((row) => [
    ...[row.run, row.arm, row.target, String(row.seed), String(row.labeled_images), String(row.total_iterations)],
    ...[row.ap, row.ap50, row.ap75, row.class_agnostic_ap].map(formatAp),
  ]);
  console.log(textTable({ header, rows: cells }));
  for (const warning of warnings) console.error(`warning: ${warning}`);
}

async function readRun(file: string): Promise<RankedRun> {
  const result = await readResult(file);
  const config = JSON.parse(await readFile(join(dirname(file), "config.json"), "utf8")) as Config;
  return { result, config };
}
