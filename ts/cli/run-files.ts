/** The files that finished runs leave in a workspace. Needs no controller. */
import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { CasslError } from "../core/errors.js";
import type { RunResult } from "../pipeline/pipeline.js";

export interface RunFiles {
  readonly run: string;
  readonly result: string;
  readonly html: string;
  readonly markdown: string;
  /** The report for programs. */
  readonly json: string;
}

export interface FinishedRun extends RunFiles {
  readonly finishedAt: Date;
}

export function runFiles(workspace: string, run: string): RunFiles {
  const file = (name: string): string => join(workspace, "runs", run, name);
  return {
    run,
    result: file("result.json"),
    html: file("report.html"),
    markdown: file("report.md"),
    json: file("report.json"),
  };
}

/** Newest first. */
export async function finishedRuns(workspace: string): Promise<FinishedRun[]> {
  const names = await readdir(join(workspace, "runs")).catch(() => []);
  const found = await Promise.all(
    names.filter((name) => !name.startsWith(".")).map((name) => finished(workspace, name)),
  );
  return found.flatMap((run) => run ?? []).sort((a, b) => b.finishedAt.getTime() - a.finishedAt.getTime());
}

/** @param run id, or `latest`. RUN_NOT_FOUND if there is no such finished run. */
export async function findFinishedRun(workspace: string, run: string): Promise<FinishedRun> {
  const runs = await finishedRuns(workspace);
  const found = run === "latest" ? runs[0] : runs.find((candidate) => candidate.run === run);
  if (found !== undefined) return found;
  const what = run === "latest" ? "no finished run" : `no finished run \`${run}\``;
  throw new CasslError(
    "RUN_NOT_FOUND",
    `There is ${what} in ${workspace}.`,
    "`cassl runs` lists those there are; --workspace names another folder.",
  );
}

export async function readResult(file: string): Promise<RunResult> {
  return JSON.parse(await readFile(file, "utf8")) as RunResult;
}

async function finished(workspace: string, run: string): Promise<FinishedRun | undefined> {
  const files = runFiles(workspace, run);
  const stats = await stat(files.result).catch(() => undefined);
  return stats && { ...files, finishedAt: stats.mtime };
}
