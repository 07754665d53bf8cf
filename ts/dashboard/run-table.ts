/** The rows of all runs, of which only those are made anew whose run has changed. */
import type { ControllerParts } from "../controller/controller.js";
import type { RunRows } from "./run-rows.js";
import type { RunRow } from "./wire/runs.js";

export interface RunTable {
  /** Looks at the runs that have changed since the last look; the first time at all. Not to be called before it has ended. */
  look(): Promise<void>;
  /** What rows have come to say after that revision, the newest run first; after 0: all. */
  changesAfter(revision: number): RowChanges;
}

export interface RowChanges {
  readonly rows: readonly RunRow[];
  /** The last one there is. */
  readonly revision: number;
}

/** Runs that are read at a time: all at once would take the memory of all. */
const PAGE = 50;

export function createRunTable({ runs }: Pick<ControllerParts, "runs">, { row }: RunRows): RunTable {
  /** The oldest first. */
  let kept = new Map<string, { readonly row: RunRow; readonly revision: number }>();
  const stale = new Set<string>();
  let revision = 0;
  let isLoaded = false;
  runs.onChange((runId) => stale.add(runId));

  async function load(): Promise<void> {
    const newestFirst: RunRow[] = [];
    for (let before = Number.MAX_SAFE_INTEGER; ; ) {
      const page = runs.list({ before, limit: PAGE });
      for (const { run } of page) newestFirst.push(await row(run));
      if (page.length < PAGE) break;
      before = page[PAGE - 1]?.position as number;
    }
    kept = new Map(newestFirst.reverse().map((row) => [row.id, { row, revision: ++revision }]));
    isLoaded = true;
  }

  async function refresh(runId: string): Promise<void> {
    const made = await row(runs.get(runId));
    if (JSON.stringify(kept.get(runId)?.row) !== JSON.stringify(made))
      kept.set(runId, { row: made, revision: ++revision });
  }

  return {
    async look() {
      if (!isLoaded) await load();
      for (const runId of [...stale]) {
        // Before it is read: what changes meanwhile is for the next look.
        stale.delete(runId);
        try {
          await refresh(runId);
        } catch (error) {
          stale.add(runId);
          throw error;
        }
      }
    },
    changesAfter(seen) {
      const changed = [...kept.values()].filter((entry) => entry.revision > seen).map((entry) => entry.row);
      return { rows: changed.reverse(), revision };
    },
  };
}
