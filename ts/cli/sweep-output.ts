/** What a sweep leaves: sweep.json in the workspace, and a table. */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { stringify as toYaml } from "yaml";
import { toStorageError } from "../controller/storage.js";
import { canonicalJson, sha256 } from "../core/hash.js";
import type { Arm, Config } from "../pipeline/config.js";
import { configHash } from "../pipeline/pipeline.js";
import { formatAp } from "../report/format.js";
import { writeWhole } from "../report/write-whole.js";
import type { Dimension, Point } from "../sweep/space.js";
import { ranked, type SweptTrial } from "../sweep/sweep.js";
import { textTable } from "./table.js";

export const OPTIMISTIC =
  "AP is that of the validation set, on which the best trial was chosen: expect less of it on other images.";

export interface SweepRecord {
  readonly command: string;
  readonly arm: Arm;
  readonly dimensions: readonly Dimension[];
  readonly trials: readonly SweptTrial[];
}

/** sweep.json, in `<workspace>/sweeps/<name>-<hash of configuration and command>`. */
export async function writeSweep(workspace: string, base: Config, record: SweepRecord): Promise<string> {
  const id = sha256(canonicalJson({ config: configHash(base), command: record.command })).slice(0, 8);
  const folder = join(workspace, "sweeps", `${base.name}-${id}`);
  const path = join(folder, "sweep.json");
  const best = ranked(record.trials).find(({ state }) => state === "complete");
  const result = { ...record, objective: OPTIMISTIC, config_hash: configHash(base), seed: base.seed, best };
  try {
    await mkdir(folder, { recursive: true });
    await writeWhole(path, `${JSON.stringify(result, null, 2)}\n`);
  } catch (error) {
    throw toStorageError(error, `The sweep cannot be written to ${folder}`);
  }
  return path;
}

export function sweepTable(dimensions: readonly Dimension[], trials: readonly SweptTrial[]): string {
  const rows = ranked(trials).map(({ trial, point, state, rungs, ap }) => [
    String(trial + 1),
    ...dimensions.map(({ path }) => showValue(point[path])),
    state,
    shareText(rungs.at(-1)?.share ?? 0),
    formatAp(ap ?? rungs.at(-1)?.ap ?? -1),
  ]);
  return textTable({ header: ["trial", ...dimensions.map(({ path }) => path), "", "iterations", "AP"], rows });
}

export function describePoint(point: Point): string {
  return Object.entries(point)
    .map(([path, value]) => `${path}=${showValue(value)}`)
    .join(" ");
}

function showValue(value: unknown): string {
  if (typeof value === "number") return String(Number(value.toPrecision(4)));
  return toYaml(value, { collectionStyle: "flow" }).trim();
}

export function shareText(share: number): string {
  return `${Math.round(100 * share)} %`;
}
