/** Attempts that end without a result: the task goes on, until several in a row have come to the same point. */
import { CasslError } from "../../core/errors.js";
import { grpcCodeOf } from "../../grpc/codes.js";
import type { TaskTable } from "../state.js";
import type { Execution } from "./execution.js";
import { shardUnderWay } from "./labelling.js";
import type { HeldLease } from "./lease.js";

export const MAX_SETBACKS = 3;
const GRPC_UNAVAILABLE = 14;

/** Notes that an attempt has ended, and says how many have at the same point. */
export function countSetback(execution: Execution, lease: HeldLease, state: TaskTable): number {
  const { labelling, setbacks, taskId } = execution;
  const point =
    labelling === undefined ? (state.checkpointOf(taskId)?.iteration ?? 0) : shardUnderWay(labelling, lease);
  const count = (setbacks.get(point) ?? 0) + 1;
  setbacks.set(point, count);
  return count;
}

export function setbackText({ labelling }: Execution, { attempt }: HeldLease, why: string): string {
  const rest = labelling === undefined ? "from its last checkpoint" : "with the shards that are not committed";
  return `Attempt ${attempt.attempt} ended: ${clause(why)}. The task goes on ${rest}.`;
}

/**
 * @param words what the worker has said last; empty if that is not known.
 * @param error what ended the last attempt, where that has a name of its own.
 */
export function keepsFailing(why: string, words: string, error?: CasslError): CasslError {
  return new CasslError(
    error?.reason ?? "WORKER_FAILED",
    `${MAX_SETBACKS} attempts came no further. The last one: ${clause(why)}.${words === "" ? "" : `\n${words}`}`,
    error?.remedy ??
      "Look at the worker's last lines; a worker that is killed mostly lacks memory: lower images_per_batch or the input size.",
  );
}

/** Messages of errors end with a full stop; reasons do not. */
function clause(why: string): string {
  return why.replace(/\.$/, "");
}

/** The worker gave up what nobody had cancelled, or could not reach something: another attempt may do better. */
export function isWorthRetrying({ reason }: CasslError): boolean {
  const isTransient = reason === "CANCELLED" || reason === "FRAME_INVALID" || reason === "LEASE_ENDED";
  return isTransient || grpcCodeOf(reason) === GRPC_UNAVAILABLE;
}

export function emptyResult(): CasslError {
  return new CasslError("INTERNAL", "The worker sent a result that holds nothing.", "Please report this.");
}
