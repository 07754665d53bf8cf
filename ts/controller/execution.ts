/** One task under way: who waits for it, and which attempts at it count. */
import { CasslError } from "../core/errors.js";
import type { Task, TaskOutput } from "../gen/cassl/v1/task.js";
import type { TaskEvent } from "../gen/cassl/v1/worker_service.js";
import type { Labelling } from "./labelling.js";
import type { HeldLease } from "./lease.js";

export type TaskListener = (event: NonNullable<TaskEvent["event"]>) => void;

/** What is to be done. */
export interface TaskRequest {
  readonly taskId: string;
  readonly task: Task;
  /** See Lease. */
  readonly imageRoot: string;
  /** Images of the dataset; predictions only. */
  readonly imageCount?: number;
}

export interface Execution extends TaskRequest {
  readonly outcome: Promise<TaskOutput>;
  readonly listeners: Set<TaskListener>;
  /** The attempts that count, by number. A prediction may have many, other tasks have one at most. */
  readonly leases: Map<number, HeldLease>;
  /** Undefined for what is no prediction. */
  readonly labelling: Labelling | undefined;
  /** How many attempts have ended at a point: an iteration of a training, a shard of a prediction. */
  readonly setbacks: Map<number, number>;
  succeed(output: TaskOutput): void;
  fail(error: unknown): void;
}

export function createExecution(request: TaskRequest, labelling: Labelling | undefined): Execution {
  let succeed: Execution["succeed"] = () => {};
  let fail: Execution["fail"] = () => {};
  const outcome = new Promise<TaskOutput>((resolve, reject) => {
    succeed = resolve;
    fail = reject;
  });
  // Everybody may have left before the outcome is known.
  outcome.catch(() => {});
  const held = { leases: new Map<number, HeldLease>(), setbacks: new Map<number, number>() };
  return { ...request, outcome, listeners: new Set(), ...held, labelling, succeed, fail };
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
