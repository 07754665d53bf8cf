import { hasFailed } from "../core/run-state.js";
import type { Run } from "../gen/cassl/v1/run.js";
import { withFreeSuffix } from "./free-suffix.js";

/** `<name>-<yyyymmdd-hhmmss>`, local time, with a suffix if a run has that id. */
export function defaultRunId(name: string, now: Date, runs: readonly Run[]): string {
  const two = (value: number): string => String(value).padStart(2, "0");
  const date = `${now.getFullYear()}${two(now.getMonth() + 1)}${two(now.getDate())}`;
  const time = `${two(now.getHours())}${two(now.getMinutes())}${two(now.getSeconds())}`;
  return withFreeSuffix(`${name}-${date}-${time}`, (id) => runs.some(({ run_id }) => run_id === id));
}

/** An id that the user chose. A run that failed or was cancelled keeps it, and the next try gets a suffix. */
export function retriedRunId(given: string, runs: readonly Run[]): string {
  return withFreeSuffix(given, (id) => runs.some((run) => run.run_id === id && hasFailed(run)));
}
