/** What a comparison leaves: result.json and its report in the workspace, and what the terminal shows of it. */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { DesignedRun } from "../comparison/design.js";
import {
  COMPARISON_PAGE,
  COMPARISON_RESULT,
  COMPARISONS,
  type Comparison,
  type ComparisonResult,
} from "../comparison/results.js";
import { toStorageError } from "../controller/storage.js";
import { sha256 } from "../core/hash.js";
import type { Config } from "../pipeline/config.js";
import { configHash } from "../pipeline/pipeline.js";
import { writeComparisonReport } from "../report/comparison-report.js";
import { armSummaryTable, groupTitle, verdicts } from "../report/comparison-tables.js";
import { writeWhole } from "../report/write-whole.js";
import type { RunOutcomes } from "./compare-runs.js";
import { textTable } from "./table.js";

export interface ComparisonFiles {
  readonly result: string;
  readonly html: string;
}

interface FinishedComparison {
  readonly config: Config;
  readonly runs: readonly DesignedRun[];
  readonly outcomes: RunOutcomes;
  readonly comparison: Comparison;
  readonly workspace: string;
  readonly command: string;
}

/** In `<workspace>/comparisons/<name>-<hash of the runs>`. STORAGE_FAILED. */
export async function writeComparison(finished: FinishedComparison): Promise<ComparisonFiles> {
  const { config, runs, outcomes, comparison, workspace, command } = finished;
  const id = `${config.name}-${sha256(runs.map(({ run_id }) => run_id).join("\n")).slice(0, 8)}`;
  const folder = join(workspace, COMPARISONS, id);
  const results = outcomes.finished.map(({ result }) => result);
  const result: ComparisonResult = {
    run: id,
    config_hash: configHash(config),
    command,
    runs: runs.map(({ run_id }) => run_id),
    arms: results.flatMap(({ arms }) => arms),
    comparison,
    steps: results.flatMap(({ steps }) => steps),
    gates: results.flatMap(({ gates }) => gates),
  };
  const files = { result: join(folder, COMPARISON_RESULT), html: join(folder, COMPARISON_PAGE) };
  try {
    await mkdir(folder, { recursive: true });
    await writeComparisonReport({ name: config.name, command, comparison }, folder);
    await writeWhole(files.result, `${JSON.stringify(result, null, 2)}\n`);
  } catch (error) {
    throw toStorageError(error, `The comparison cannot be written to ${folder}`);
  }
  return files;
}

/** The last line of standard output is the path of result.json, or with `json` an object that holds it. */
export function printComparison(comparison: Comparison, { result, html }: ComparisonFiles, json: boolean): void {
  if (json) {
    console.log(JSON.stringify({ result }));
    return;
  }
  for (const group of comparison.groups) console.log(`\n${groupTitle(group)}\n${textTable(armSummaryTable(group))}`);
  console.log(`\n${[...verdicts(comparison), ...comparison.notes].join("\n")}\n`);
  console.log(`Report: ${html}\n${result}`);
}
