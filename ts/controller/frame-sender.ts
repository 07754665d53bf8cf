/** Who may send a prediction frame: a worker that is attached and has a lease of the shard. */
import { CasslError } from "../core/errors.js";
import type { ShardHeader } from "../gen/cassl/v1/prediction_frame.js";
import type { PredictTask } from "../gen/cassl/v1/task.js";
import type { TaskQueue } from "./tasks.js";
import type { WorkerRecord } from "./workers.js";

/** Of ShardHeader. */
export const FRAME_VERSION = 2;

/** The attached workers and their tasks, as far as frames depend on them. */
export interface FrameSources {
  findByToken(token: Uint8Array): WorkerRecord | undefined;
  readonly tasks: Pick<TaskQueue, "find" | "noteShard" | "isUnderWay" | "log">;
}

/**
 * The task that the frame belongs to. Undefined if the sender came with an attempt that may yet count.
 * VERSION_MISMATCH, WORKER_UNKNOWN, LEASE_ENDED, or FRAME_INVALID if the shard is not one of the lease.
 */
export function taskOfFrame(header: ShardHeader, { findByToken, tasks }: FrameSources): PredictTask | undefined {
  const { task_id, attempt, shard, version, token } = header;
  if (version !== FRAME_VERSION) throw wrongVersion(header);
  const worker = findByToken(token);
  if (worker === undefined) throw unknownWorker(header);
  const execution = tasks.find({ task_id, attempt });
  const lease = execution?.leases.get(attempt);
  const { task_attempt: running } = worker.running ?? {};
  const isClaimed = worker.unclaimedBeats > 0 && running?.task_id === task_id && running.attempt === attempt;
  if (execution === undefined && isClaimed) return undefined;
  const kind = execution?.task.kind;
  if (kind?.$case !== "predict" || lease?.workerId !== worker.id) throw leaseEnded(header);
  if (!lease.shards.includes(shard)) throw invalidFrame(header, `attempt ${attempt} has no lease of it`);
  return kind.value;
}

export function invalidFrame({ shard }: ShardHeader, fault: string): CasslError {
  return new CasslError(
    "FRAME_INVALID",
    `Prediction shard ${shard} is refused: ${fault}.`,
    "The worker must send the shard again.",
  );
}

function wrongVersion({ shard, version }: ShardHeader): CasslError {
  return new CasslError(
    "VERSION_MISMATCH",
    `Prediction shard ${shard} is refused: its frame has version ${version}, not ${FRAME_VERSION}.`,
    "Install the same version of cassl on both sides.",
  );
}

function unknownWorker({ shard }: ShardHeader): CasslError {
  return new CasslError(
    "WORKER_UNKNOWN",
    `Prediction shard ${shard} is refused: its token is that of no attached worker.`,
    "Attach, and send the shard again with the token of the welcome.",
  );
}

function leaseEnded({ shard, task_id, attempt }: ShardHeader): CasslError {
  return new CasslError(
    "LEASE_ENDED",
    `Prediction shard ${shard} is refused: attempt ${attempt} at task ${task_id} is not under way.`,
    "Nothing is lost: another worker has the shard, or it is committed. Drop the task.",
  );
}
