/** How far each task has come. */
import { PredictionShard } from "../../gen/cassl/v1/prediction_frame.js";
import { CheckpointSaved } from "../../gen/cassl/v1/worker_service.js";
import type { Database } from "../sqlite.js";
import { optional } from "./rows.js";

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

export function taskTable(database: Database): TaskTable {
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
