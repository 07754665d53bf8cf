/**
 * What the controller knows, in SQLite: runs and their events, finished steps, and how far each task has come.
 * One process writes; others may read.
 */

import type { StepStore } from "../pipeline/step.js";
import { openDatabase, useWriteAheadLog } from "./sqlite.js";
import { type DatasetTable, datasetTable } from "./state/datasets.js";
import { type MeasurementTable, measurementTable } from "./state/measurements.js";
import { type ReviewTable, reviewTable } from "./state/reviews.js";
import { type RunTable, runTable } from "./state/runs.js";
import { migrate } from "./state/schema.js";
import { stepTable } from "./state/steps.js";
import { type TaskTable, taskTable } from "./state/tasks.js";

export type { DatasetTable } from "./state/datasets.js";
export type { Measurement, MeasurementTable } from "./state/measurements.js";
export type { Review, ReviewTable } from "./state/reviews.js";
export type { ListedRun, RunQuery, RunTable } from "./state/runs.js";
export type { TaskTable } from "./state/tasks.js";

const MENTIONS = `
  SELECT output AS text FROM steps UNION ALL SELECT run FROM runs UNION ALL SELECT dataset FROM datasets
  UNION ALL SELECT checkpoint FROM tasks WHERE checkpoint IS NOT NULL UNION ALL SELECT sha256 FROM shards
`;

/** Every member may throw STORAGE_FAILED. */
export interface StateStore extends StepStore, RunTable, TaskTable, DatasetTable, MeasurementTable, ReviewTable {
  /** Every text that may name an artifact: outputs of steps, results of runs, data sets, checkpoints and shards. */
  mentions(): string[];
  transaction<T>(work: () => T): T;
  close(): void;
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
      ...reviewTable(database),
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
