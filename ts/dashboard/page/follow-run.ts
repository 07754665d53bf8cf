/** Whether a run has come to another step, for pages that show what its steps leave. */
import type { Overview } from "../wire/runs.js";
import { listen } from "./api.js";

/**
 * Calls `update` at first, and whenever the run has come to another step or state. The calls do not overlap.
 * @param onConnection whether the controller answers.
 */
export function followSteps(runId: string, update: () => Promise<void>, onConnection: (isOpen: boolean) => void): void {
  let last: string | undefined;
  let updated = Promise.resolve();
  listen(() => `overview/events?run=${encodeURIComponent(runId)}`, {
    onData(data) {
      const row = (data as Overview).runs.find(({ id }) => id === runId);
      // Other messages tell of workers only.
      if (row === undefined && last !== undefined) return;
      const now = `${row?.state} ${row?.step}`;
      if (now === last) return;
      last = now;
      updated = updated.then(update);
    },
    onConnection,
  });
}
