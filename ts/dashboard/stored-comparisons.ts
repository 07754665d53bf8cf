/** What `cassl compare` has concluded in this workspace: its files, as the dashboard shows them. */
import { readdir, readFile, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import {
  COMPARISON_PAGE,
  COMPARISON_RESULT,
  COMPARISONS,
  type Comparison,
  type ComparisonResult,
} from "../comparison/results.js";
import { CasslError } from "../core/errors.js";
import { describeMethod } from "../report/comparison-report.js";
import { armSummaryTable, differenceTable, groupTitle, verdicts } from "../report/comparison-tables.js";
import type { ConcludedComparison, ConcludedRow } from "./wire/comparison.js";

export interface StoredComparisons {
  /** The latest first. Those that cannot be read say so. */
  list(): Promise<ConcludedRow[]>;
  /** FILE_NOT_FOUND if there is no such comparison; ARTIFACT_CORRUPT if its file is none. */
  describe(id: string): Promise<ConcludedComparison>;
  /** Path of its report. FILE_NOT_FOUND if there is no such comparison. */
  reportOf(id: string): Promise<string>;
}

interface StoredComparison {
  readonly id: string;
  /** ms since 1970. */
  readonly finished: number;
  readonly result: ComparisonResult;
}

export function createStoredComparisons({ workspace }: { readonly workspace: string }): StoredComparisons {
  const root = join(workspace, COMPARISONS);

  /** A comparison has a folder from when its files are written. */
  async function ids(): Promise<string[]> {
    const entries = await readdir(root, { withFileTypes: true }).catch(() => []);
    return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
  }

  /** What is asked for is compared with what is there, and never made a path as it comes. */
  async function folderOf(id: string): Promise<string> {
    if ((await ids()).includes(id)) return join(root, id);
    const message = `There is no comparison ${JSON.stringify(id.slice(0, 200))}.`;
    throw new CasslError("FILE_NOT_FOUND", message, "Start from the list of comparisons.");
  }

  async function read(folder: string): Promise<StoredComparison> {
    const path = join(folder, COMPARISON_RESULT);
    try {
      const { mtimeMs } = await stat(path);
      return { id: basename(folder), finished: mtimeMs, result: resultIn(await readFile(path, "utf8")) };
    } catch (cause) {
      const remedy = "Give the command of the comparison again: it takes what its runs have left.";
      throw new CasslError("ARTIFACT_CORRUPT", `${path} is no result of a comparison.`, remedy, { cause });
    }
  }

  async function row(id: string): Promise<ConcludedRow> {
    try {
      const { finished, result } = await read(join(root, id));
      return { id, finished, runs: result.runs.length, verdicts: verdicts(result.comparison) };
    } catch (error) {
      return { id, finished: 0, runs: 0, verdicts: [], fault: CasslError.from(error).message };
    }
  }

  return {
    async list() {
      const rows: ConcludedRow[] = [];
      for (const id of await ids()) rows.push(await row(id));
      return rows.sort((a, b) => b.finished - a.finished);
    },
    describe: async (id) => concluded(await read(await folderOf(id))),
    reportOf: async (id) => join(await folderOf(id), COMPARISON_PAGE),
  };
}

/** Throws if it is none. */
function resultIn(text: string): ComparisonResult {
  const result = JSON.parse(text) as Partial<ComparisonResult>;
  if (!Array.isArray(result.runs) || !Array.isArray(result.comparison?.groups)) throw new Error("It has no groups.");
  return result as ComparisonResult;
}

function concluded({ id, finished, result: { command, runs, comparison } }: StoredComparison): ConcludedComparison {
  return {
    id,
    finished,
    command,
    runs,
    verdicts: verdicts(comparison),
    notes: comparison.notes,
    method: describeMethod(comparison),
    groups: comparison.groups.map(describeGroup),
  };
}

function describeGroup(group: Comparison["groups"][number]): ConcludedComparison["groups"][number] {
  return { title: groupTitle(group), arms: armSummaryTable(group), differences: differenceTable(group) };
}
