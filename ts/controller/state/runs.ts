/** Runs and their events. */
import { Run, RunEvent, type State, StepFinished, type StepProgress, stateToJSON } from "../../gen/cassl/v1/run.js";
import type { Database, Row } from "../sqlite.js";
import { optional } from "./rows.js";

export interface RunTable {
  /** Adds the run, or replaces it. */
  saveRun(run: Run): void;
  findRun(runId: string): Run | undefined;
  /** Newest first. */
  listRuns(query?: RunQuery): ListedRun[];
  /** Gives the event the next sequence number of its run. */
  appendEvent(runId: string, at: Date, event: RunEvent["event"]): RunEvent;
  /** 0 if the run has no event. */
  lastSequence(runId: string): number;
  /** In order, at most `limit`; all without one. */
  eventsAfter(runId: string, sequence: number, limit?: number): RunEvent[];
  /** The steps that a run has finished, in order. */
  finishedSteps(runId: string): StepFinished[];
  /** All that was reported of a step, in order, whichever runs did its work. */
  progressOf(stepKey: string): StepProgress[];
}

/** Which runs to list. What is left out is not asked for. */
export interface RunQuery {
  readonly states?: readonly State[];
  readonly name?: string;
  /** Only runs at lower positions, which are older ones. */
  readonly before?: number;
  readonly limit?: number;
}

export interface ListedRun {
  /** Grows with each run, and never changes. */
  readonly position: number;
  readonly run: Run;
}

export function runTable(database: Database): RunTable {
  const save = database.prepare("INSERT INTO runs VALUES (?, ?) ON CONFLICT (run_id) DO UPDATE SET run = excluded.run");
  const find = database.prepare("SELECT run FROM runs WHERE run_id = ?");
  const list = database.prepare(
    `SELECT rowid AS position, run FROM runs
     WHERE rowid < ?1 AND (?2 = '' OR run ->> '$.config.name' = ?2)
       AND (?3 = '[]' OR run ->> '$.state' IN (SELECT value FROM json_each(?3)))
     ORDER BY rowid DESC LIMIT ?4`,
  );
  const last = database.prepare("SELECT COALESCE(MAX(sequence), 0) AS sequence FROM events WHERE run_id = ?");
  const append = database.prepare("INSERT INTO events VALUES (?, ?, ?)");
  const after = database.prepare(
    "SELECT event FROM events WHERE run_id = ? AND sequence > ? ORDER BY sequence LIMIT ?",
  );
  const finished = database.prepare(
    `SELECT event -> '$.stepFinished' AS finished FROM events
     WHERE run_id = ? AND finished IS NOT NULL ORDER BY sequence`,
  );
  const progress = database.prepare(
    "SELECT event FROM events WHERE event ->> '$.stepProgress.key' = ? ORDER BY event ->> '$.at', sequence",
  );
  const lastSequence = (runId: string): number => Number(last.get(runId)?.["sequence"]);
  return {
    lastSequence,
    saveRun: (run) => save.run(run.run_id, JSON.stringify(Run.toJSON(run))),
    findRun: (runId) => optional(find.get(runId), toRun),
    listRuns: ({ states = [], name = "", before = Number.MAX_SAFE_INTEGER, limit = -1 } = {}) =>
      list
        .all(before, name, JSON.stringify(states.map(stateToJSON)), limit)
        .map((row) => ({ position: Number(row["position"]), run: toRun(row) })),
    appendEvent(runId, at, event) {
      const sequence = lastSequence(runId) + 1;
      const stamped: RunEvent = { sequence, at, event };
      append.run(runId, sequence, JSON.stringify(RunEvent.toJSON(stamped)));
      return stamped;
    },
    finishedSteps: (runId) =>
      finished.all(runId).map((row) => StepFinished.fromJSON(JSON.parse(String(row["finished"])))),
    eventsAfter: (runId, sequence, limit = -1) => after.all(runId, sequence, limit).map(toEvent),
    progressOf: (stepKey) =>
      progress
        .all(stepKey)
        .map(toEvent)
        .flatMap(({ event }) => (event?.$case === "step_progress" ? [event.value] : [])),
  };
}

function toEvent({ event }: Row): RunEvent {
  return RunEvent.fromJSON(JSON.parse(String(event)));
}

function toRun({ run }: Row): Run {
  return Run.fromJSON(JSON.parse(String(run)));
}
