/** Following a run to its end and showing what came of it: the same for `run`, `watch` and `submit --watch`. */
import { existsSync } from "node:fs";
import { mkdir, readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { CasslClient } from "../client/client.js";
import { toStorageError } from "../controller/storage.js";
import { fromErrorDetail } from "../core/errors.js";
import type { Run } from "../gen/cassl/v1/run.js";
import { writeWhole } from "../report/write-whole.js";
import type { ProgressView } from "./progress-view.js";
import { readResult, runFiles } from "./run-files.js";
import { resultTable } from "./table.js";

/** Throws the run's error if it does not succeed. Aborting `signal` ends the watching, not the run. */
export async function followRun(
  client: CasslClient,
  runId: string,
  view: ProgressView,
  signal?: AbortSignal,
): Promise<Run> {
  try {
    view.begin(await client.getRun(runId, { signal }));
    for await (const event of client.watchRun(runId, 0, signal)) view.show(event);
  } finally {
    view.close();
  }
  const run = await client.getRun(runId);
  if (run.error !== undefined) throw fromErrorDetail(run.error);
  return run;
}

/**
 * The path of the run's result.json: that in the workspace, if the controller has written it there. The result of a
 * controller elsewhere is fetched to `<workspace>/fetched/<run id>/result.json`.
 */
export async function localResult(client: CasslClient, { run_id, result }: Run, workspace: string): Promise<string> {
  const bytes = await client.getArtifact(result?.sha256 ?? "");
  const own = runFiles(workspace, run_id).result;
  if (await holds(own, bytes)) return own;
  const fetched = join(workspace, "fetched", run_id, "result.json");
  try {
    await mkdir(dirname(fetched), { recursive: true });
    await writeWhole(fetched, bytes);
  } catch (error) {
    throw toStorageError(error, `The result cannot be written to ${fetched}`);
  }
  return fetched;
}

/** The last line of standard output is the path of result.json, or with `json` an object that holds it. */
export async function printResult(file: string, json: boolean): Promise<void> {
  if (json) {
    console.log(JSON.stringify({ result: file }));
    return;
  }
  console.log(`\n${resultTable(await readResult(file))}\n`);
  const report = join(dirname(file), "report.html");
  if (existsSync(report)) console.log(`Report: ${report}`);
  console.log(file);
}

async function holds(file: string, bytes: Uint8Array): Promise<boolean> {
  const found = await readFile(file).catch(() => undefined);
  return found?.equals(bytes) ?? false;
}
