/** The list of runs as it changes: one look a second at most, however many browsers ask. */
import { setTimeout as sleep } from "node:timers/promises";
import type { ServerEvent } from "./event-stream.js";
import type { RunTable } from "./run-table.js";
import type { Overview, WorkerRow } from "./wire/runs.js";

export interface Overviews {
  /** As it is now. */
  now(): Promise<Overview>;
  /** Starts with all rows, and goes on with those that have changed. @param runId empty: all runs; else only that one. */
  follow(runId: string, signal: AbortSignal): AsyncGenerator<ServerEvent>;
}

const EVERY_MS = 1000;

export function createOverviews(table: RunTable, workersNow: () => WorkerRow[]): Overviews {
  let underWay = Promise.resolve();
  let lookedAt = -Infinity;

  /** One after the other, also where one takes long. */
  function look(): Promise<void> {
    lookedAt = performance.now();
    underWay = underWay.then(table.look, table.look);
    return underWay;
  }

  /** The last look, if it is under way or was lately. */
  function shared(): Promise<void> {
    return performance.now() - lookedAt < EVERY_MS / 2 ? underWay : look();
  }

  async function* follow(runId: string, signal: AbortSignal): AsyncGenerator<ServerEvent> {
    let seen = 0;
    let workersSent = "";
    while (!signal.aborted) {
      await shared();
      const { rows, revision } = table.changesAfter(seen);
      const runs = runId === "" ? rows : rows.filter(({ id }) => id === runId);
      const workers = workersNow();
      const workersText = JSON.stringify(workers);
      if (runs.length > 0 || workersText !== workersSent) yield { data: { runs, workers } };
      seen = revision;
      workersSent = workersText;
      await sleep(EVERY_MS, undefined, { signal }).catch(() => {});
    }
  }

  return {
    async now() {
      await look();
      return { runs: table.changesAfter(0).rows, workers: workersNow() };
    },
    follow,
  };
}
