import type { TaskAttempt } from "../../gen/cassl/v1/worker_service.js";

/** That a worker has the task, or some shards of it. */
export interface HeldLease {
  readonly attempt: TaskAttempt;
  /** What the attempt is to do of a prediction, in this order; empty for other tasks. */
  readonly shards: readonly number[];
  readonly workerId: string;
  /** Of the worker's process; undefined if it is on another machine. */
  readonly pid: number | undefined;
  /** Monotonic time in ms. */
  readonly since: number;
  /** Tells the worker to stop. */
  cancel(): void;
}
