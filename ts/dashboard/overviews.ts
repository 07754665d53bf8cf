/** The list of runs as it changes: one look a second at most, however many browsers ask. */
import { setTimeout as sleep } from "node:timers/promises";
import type { ServerEvent } from "./event-stream.js";
import type { RunRows } from "./run-rows.js";
import { isUnfinished, type Overview, type RunRow } from "./wire.js";

export interface Overviews {
  /** As it is now. */
  now(): Promise<Overview>;
  /** Starts with all rows, and goes on with those that have changed. @param runId empty: all runs; else only that one. */
  follow(runId: string, signal: AbortSignal): AsyncGenerator<ServerEvent>;
}

const EVERY_MS = 1000;

export function createOverviews(rows: RunRows): Overviews {
  let underWay: Promise<Overview> | undefined;
  let lookedAt = 0;

  async function look(): Promise<Overview> {
    return { runs: await rows.rows(), workers: rows.workers() };
  }

  /** The last look, if it is under way or was lately. */
  function shared(): Promise<Overview> {
    const now = performance.now();
    if (underWay !== undefined && now - lookedAt < EVERY_MS / 2) return underWay;
    lookedAt = now;
    // One after the other, also where one takes long.
    underWay = (underWay ?? Promise.resolve()).then(look, look);
    return underWay;
  }

  async function* follow(runId: string, signal: AbortSignal): AsyncGenerator<ServerEvent> {
    const changedRows = createChanges();
    let workersSent = "";
    while (!signal.aborted) {
      const { runs, workers } = await shared();
      const changed = changedRows(runId === "" ? runs : runs.filter(({ id }) => id === runId));
      const workersNow = JSON.stringify(workers);
      if (changed.length > 0 || workersNow !== workersSent) yield { data: { runs: changed, workers } };
      workersSent = workersNow;
      await sleep(EVERY_MS, undefined, { signal }).catch(() => {});
    }
  }

  return { now: look, follow };
}

/** Of the rows those that say something else than the last time. */
function createChanges(): (rows: readonly RunRow[]) => RunRow[] {
  const sent = new Map<string, { readonly row: RunRow; readonly text: string }>();
  return (rows) =>
    rows.filter((row) => {
      const last = sent.get(row.id);
      // Rows of ended runs are the same objects each time.
      if (last?.row === row) return false;
      const text = JSON.stringify(row);
      sent.set(row.id, { row, text: isUnfinished(row.state) ? text : "" });
      return last?.text !== text;
    });
}
