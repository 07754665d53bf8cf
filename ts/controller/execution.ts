/** One task under way: who waits for it, and which attempt at it counts. */
import { CasslError } from "../core/errors.js";
import type { Task, TaskOutput } from "../gen/cassl/v1/task.js";
import type { TaskAttempt, TaskEvent } from "../gen/cassl/v1/worker_service.js";

export type TaskListener = (event: NonNullable<TaskEvent["event"]>) => void;

/** That a worker has the task. */
export interface HeldLease {
  readonly attempt: TaskAttempt;
  /** Of the worker's process. */
  readonly pid: number;
  /** Tells the worker to stop. */
  cancel(): void;
}

export interface Execution {
  readonly taskId: string;
  readonly task: Task;
  readonly imageRoot: string;
  readonly outcome: Promise<TaskOutput>;
  readonly listeners: Set<TaskListener>;
  /** Absent while the task waits for a worker. */
  lease: HeldLease | undefined;
  /** Attempts in a row that ended without a new checkpoint or shard. */
  barrenAttempts: number;
  succeed(output: TaskOutput): void;
  fail(error: unknown): void;
}

export function createExecution(taskId: string, task: Task, imageRoot: string): Execution {
  let succeed: Execution["succeed"] = () => {};
  let fail: Execution["fail"] = () => {};
  const outcome = new Promise<TaskOutput>((resolve, reject) => {
    succeed = resolve;
    fail = reject;
  });
  // Everybody may have left before the outcome is known.
  outcome.catch(() => {});
  return { taskId, task, imageRoot, outcome, listeners: new Set(), lease: undefined, barrenAttempts: 0, succeed, fail };
}

export function publish(execution: Execution, event: NonNullable<TaskEvent["event"]>): void {
  for (const listener of execution.listeners) listener(event);
}

/** The outcome, or the reason of the signal, whichever comes first. */
export function outcomeOrAbort({ outcome }: Execution, signal: AbortSignal): Promise<TaskOutput> {
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(CasslError.from(signal.reason));
    if (signal.aborted) abort();
    signal.addEventListener("abort", abort, { once: true });
    const settled = outcome.finally(() => signal.removeEventListener("abort", abort));
    settled.then(resolve, reject);
  });
}
