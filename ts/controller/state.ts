/**
 * What the controller knows, in SQLite: runs and their events, finished steps, and how far each task has come.
 * One process writes; others may read.
 */
import { CasslError } from "../core/errors.js";
import { RegisteredDataset } from "../gen/cassl/v1/controller_service.js";
import { PredictionShard } from "../gen/cassl/v1/prediction_frame.js";
import { Run, RunEvent, type State, type StepProgress, stateToJSON } from "../gen/cassl/v1/run.js";
import { CheckpointSaved } from "../gen/cassl/v1/worker_service.js";
import type { StepRecord, StepStore } from "../pipeline/step.js";
import { type Database, openDatabase, type Row, useWriteAheadLog } from "./sqlite.js";

const TABLES = `
  CREATE TABLE runs (
    run_id TEXT PRIMARY KEY,
    run TEXT NOT NULL                   -- JSON of cassl.v1.Run
  ) STRICT;
  CREATE TABLE events (                 -- append only
    run_id TEXT NOT NULL,
    sequence INTEGER NOT NULL,
    event TEXT NOT NULL,                -- JSON of cassl.v1.RunEvent
    PRIMARY KEY (run_id, sequence)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX progress_by_step ON events (event ->> '$.stepProgress.key');
  CREATE TABLE steps (
    key TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    output TEXT NOT NULL,
    seconds REAL NOT NULL
  ) STRICT;
  CREATE TABLE tasks (
    task_id TEXT PRIMARY KEY,
    attempt INTEGER NOT NULL,           -- of the latest lease
    checkpoint TEXT                     -- JSON of cassl.v1.CheckpointSaved
  ) STRICT;
  CREATE TABLE shards (                 -- committed ones
    task_id TEXT NOT NULL,
    shard INTEGER NOT NULL,
    image_count INTEGER NOT NULL,
    box_count INTEGER NOT NULL,
    sha256 TEXT NOT NULL,
    PRIMARY KEY (task_id, shard)
  ) STRICT, WITHOUT ROWID;
`;

const DATASETS = `
  CREATE TABLE datasets (
    name TEXT PRIMARY KEY,
    dataset TEXT NOT NULL               -- JSON of cassl.v1.RegisteredDataset
  ) STRICT, WITHOUT ROWID;
`;

const MENTIONS = `
  SELECT output AS text FROM steps UNION ALL SELECT run FROM runs UNION ALL SELECT dataset FROM datasets
  UNION ALL SELECT checkpoint FROM tasks WHERE checkpoint IS NOT NULL UNION ALL SELECT sha256 FROM shards
`;

const MEASUREMENTS = `
  CREATE TABLE measurements (           -- the latest of each kind of work on each device
    profile TEXT NOT NULL,
    device TEXT NOT NULL,
    seconds_per_unit REAL NOT NULL,
    overhead_seconds REAL NOT NULL,
    bytes INTEGER NOT NULL,
    PRIMARY KEY (profile, device)
  ) STRICT, WITHOUT ROWID;
`;

/** What each version of the schema adds. To change tables, add one. */
const MIGRATIONS = [TABLES, DATASETS, MEASUREMENTS];

/** Every member may throw STORAGE_FAILED. */
export interface StateStore extends StepStore, RunTable, TaskTable, DatasetTable, MeasurementTable {
  /** Every text that may name an artifact: outputs of steps, results of runs, data sets, checkpoints and shards. */
  mentions(): string[];
  transaction<T>(work: () => T): T;
  close(): void;
}

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
  /** In order, at most `limit`. */
  eventsAfter(runId: string, sequence: number, limit: number): RunEvent[];
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

export interface TaskTable {
  /** 1, 2, 3, ... for a task, over restarts of the controller. */
  nextAttempt(taskId: string): number;
  /** 0 if there was none. */
  latestAttempt(taskId: string): number;
  checkpointOf(taskId: string): CheckpointSaved | undefined;
  saveCheckpoint(taskId: string, checkpoint: CheckpointSaved | undefined): void;
  /** Whether any task's checkpoint is that artifact. */
  isCheckpoint(sha256: string): boolean;
  /** The committed shards of a task in order. */
  shardsOf(taskId: string): PredictionShard[];
  findShard(taskId: string, shard: number): PredictionShard | undefined;
  /** Does nothing if the shard is there. */
  addShard(taskId: string, shard: PredictionShard): void;
  removeShard(taskId: string, shard: number): void;
}

export interface DatasetTable {
  saveDataset(dataset: RegisteredDataset): void;
  findDataset(name: string): RegisteredDataset | undefined;
  /** By name. */
  listDatasets(): RegisteredDataset[];
}

/** How long a kind of work took on a device. */
export interface Measurement {
  /** Of a Work. */
  readonly profile: string;
  readonly device: string;
  readonly seconds_per_unit: number;
  /** What is not for units, such as loading. */
  readonly overhead_seconds: number;
  /** Of the artifacts that it left. */
  readonly bytes: number;
}

export interface MeasurementTable {
  /** In place of an earlier one of the same work on the same device. */
  saveMeasurement(measurement: Measurement): void;
  listMeasurements(): Measurement[];
}

/** STORAGE_FAILED if the file cannot be used; VERSION_MISMATCH if a newer cassl wrote it. */
export function openState(file: string): StateStore {
  const database = openDatabase(file);
  try {
    useWriteAheadLog(database);
    migrate(database, file);
    return {
      ...runTable(database),
      ...stepTable(database),
      ...taskTable(database),
      ...datasetTable(database),
      ...measurementTable(database),
      mentions: () =>
        database
          .prepare(MENTIONS)
          .all()
          .map(({ text }) => String(text)),
      transaction: database.transaction,
      close: database.close,
    };
  } catch (error) {
    database.close();
    throw error;
  }
}

function migrate(database: Database, file: string): void {
  const found = Number(database.prepare("PRAGMA user_version").get()?.["user_version"]);
  if (found > MIGRATIONS.length) {
    throw new CasslError(
      "VERSION_MISMATCH",
      `${file} was written by a newer cassl: its schema has version ${found}, this one knows ${MIGRATIONS.length}.`,
      "Install the newer cassl, or choose another --workspace.",
    );
  }
  if (found === MIGRATIONS.length) return;
  const missing = MIGRATIONS.slice(found).join("");
  database.transaction(() => database.exec(`${missing} PRAGMA user_version = ${MIGRATIONS.length}`));
}

function runTable(database: Database): RunTable {
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
    eventsAfter: (runId, sequence, limit) => after.all(runId, sequence, limit).map(toEvent),
    progressOf: (stepKey) =>
      progress
        .all(stepKey)
        .map(toEvent)
        .flatMap(({ event }) => (event?.$case === "step_progress" ? [event.value] : [])),
  };
}

function stepTable(database: Database): StepStore {
  const find = database.prepare("SELECT * FROM steps WHERE key = ?");
  const save = database.prepare("INSERT OR REPLACE INTO steps (key, name, output, seconds) VALUES (?, ?, ?, ?)");
  return {
    findStep: (key) => find.get(key) as StepRecord | undefined,
    saveStep: ({ key, name, output, seconds }) => save.run(key, name, output, seconds),
  };
}

function taskTable(database: Database): TaskTable {
  const attempt = database.prepare(
    `INSERT INTO tasks VALUES (?, 1, NULL)
     ON CONFLICT (task_id) DO UPDATE SET attempt = attempt + 1 RETURNING attempt`,
  );
  const latest = database.prepare("SELECT attempt FROM tasks WHERE task_id = ?");
  const checkpoint = database.prepare("SELECT checkpoint FROM tasks WHERE task_id = ? AND checkpoint IS NOT NULL");
  const setCheckpoint = database.prepare("UPDATE tasks SET checkpoint = ? WHERE task_id = ?");
  const referring = database.prepare("SELECT 1 FROM tasks WHERE checkpoint ->> '$.checkpoint.sha256' = ?");
  const shards = database.prepare("SELECT * FROM shards WHERE task_id = ? ORDER BY shard");
  const shard = database.prepare("SELECT * FROM shards WHERE task_id = ? AND shard = ?");
  const add = database.prepare("INSERT OR IGNORE INTO shards VALUES (?, ?, ?, ?, ?)");
  const remove = database.prepare("DELETE FROM shards WHERE task_id = ? AND shard = ?");
  return {
    nextAttempt: (taskId) => Number(attempt.get(taskId)?.["attempt"]),
    latestAttempt: (taskId) => Number(latest.get(taskId)?.["attempt"] ?? 0),
    checkpointOf: (taskId) =>
      optional(checkpoint.get(taskId), (row) => CheckpointSaved.fromJSON(JSON.parse(String(row["checkpoint"])))),
    saveCheckpoint: (taskId, saved) =>
      setCheckpoint.run(saved === undefined ? null : JSON.stringify(CheckpointSaved.toJSON(saved)), taskId),
    isCheckpoint: (sha256) => referring.get(sha256) !== undefined,
    shardsOf: (taskId) => shards.all(taskId).map((row) => PredictionShard.fromJSON(row)),
    findShard: (taskId, number) => optional(shard.get(taskId, number), (row) => PredictionShard.fromJSON(row)),
    addShard: (taskId, { shard, image_count, box_count, sha256 }) =>
      add.run(taskId, shard, image_count, box_count, sha256),
    removeShard: (taskId, number) => remove.run(taskId, number),
  };
}

function datasetTable(database: Database): DatasetTable {
  const save = database.prepare("INSERT OR REPLACE INTO datasets VALUES (?, ?)");
  const find = database.prepare("SELECT dataset FROM datasets WHERE name = ?");
  const list = database.prepare("SELECT dataset FROM datasets ORDER BY name");
  return {
    saveDataset: (dataset) => save.run(dataset.name, JSON.stringify(RegisteredDataset.toJSON(dataset))),
    findDataset: (name) => optional(find.get(name), toDataset),
    listDatasets: () => list.all().map(toDataset),
  };
}

function measurementTable(database: Database): MeasurementTable {
  const save = database.prepare("INSERT OR REPLACE INTO measurements VALUES (?, ?, ?, ?, ?)");
  const list = database.prepare("SELECT * FROM measurements ORDER BY profile, device");
  return {
    saveMeasurement: ({ profile, device, seconds_per_unit, overhead_seconds, bytes }) =>
      save.run(profile, device, seconds_per_unit, overhead_seconds, bytes),
    listMeasurements: () => list.all() as unknown as Measurement[],
  };
}

function toDataset({ dataset }: Row): RegisteredDataset {
  return RegisteredDataset.fromJSON(JSON.parse(String(dataset)));
}

function optional<T>(row: Row | undefined, decode: (row: Row) => T): T | undefined {
  return row === undefined ? undefined : decode(row);
}

function toEvent({ event }: Row): RunEvent {
  return RunEvent.fromJSON(JSON.parse(String(event)));
}

function toRun({ run }: Row): Run {
  return Run.fromJSON(JSON.parse(String(run)));
}
