/**
 * The tasks that are under way. When a worker is lost its task waits for another one, and goes on from its latest
 * checkpoint and shards. Only the latest attempt at a task counts.
 */
import { CasslError, fromErrorDetail } from "../core/errors.js";
import type { Task, TaskOutput } from "../gen/cassl/v1/task.js";
import type { Lease, TaskAttempt, TaskEvent, TaskResult } from "../gen/cassl/v1/worker_service.js";
import { grpcCodeOf } from "../grpc/codes.js";
import {
  createExecution,
  type Execution,
  type HeldLease,
  outcomeOrAbort,
  publish,
  type TaskListener,
} from "./execution.js";
import type { TaskTable } from "./state.js";
import type { TaskProgress } from "./task-progress.js";

export type Submit = (
  taskId: string,
  task: Task,
  imageRoot: string,
  onEvent: TaskListener,
  signal: AbortSignal,
) => Promise<TaskOutput>;

export interface TaskQueue {
  /**
   * Has a worker do the task. Two submissions of one task share its execution; it is cancelled when all have aborted.
   * WORKER_FAILED when three attempts in a row ended without progress; else the error that the worker reports.
   */
  readonly submit: Submit;
  /** First come, first served. */
  waiting(): Execution[];
  /** Begins the next attempt. Undefined if it cannot begin; the task has failed then. */
  lease(execution: Execution, holder: Omit<HeldLease, "attempt">): Lease | undefined;
  /** Undefined if the attempt is not the one that counts. */
  find(attempt: TaskAttempt | undefined): Execution | undefined;
  receiveEvent(event: TaskEvent): void;
  receiveResult(result: TaskResult): void;
  /** The attempt ended without a result. */
  lose(attempt: TaskAttempt, why: string): void;
  failAll(error: CasslError): void;
  /** Notes that a task has come further. */
  noteProgress(taskId: string): void;
  /** How often any task has come further. */
  progressCount(): number;
  /** Tells those who wait for tasks. */
  log(level: "info" | "warning", text: string): void;
}

export interface TaskQueueOptions {
  readonly state: TaskTable;
  readonly progress: TaskProgress;
  /** Called when a task has begun to wait for a worker. */
  onWaiting(): void;
  /** What a worker process that was lost has said, if it is ours. */
  lastWords(pid: number): Promise<string>;
}

const MAX_BARREN_ATTEMPTS = 3;
const SHARD_CREDITS = 4;
const GRPC_UNAVAILABLE = 14;

export function createTaskQueue({ state, progress, onWaiting, lastWords }: TaskQueueOptions): TaskQueue {
  /** By task id, in the order of submission. */
  const executions = new Map<string, Execution>();
  let progressCount = 0;

  function find(attempt: TaskAttempt | undefined): Execution | undefined {
    const execution = executions.get(attempt?.task_id ?? "");
    return execution?.lease?.attempt.attempt === attempt?.attempt ? execution : undefined;
  }

  function noteProgress(taskId: string): void {
    progressCount++;
    const execution = executions.get(taskId);
    if (execution !== undefined) execution.barrenAttempts = 0;
  }

  function remove(execution: Execution): void {
    if (executions.get(execution.taskId) === execution) executions.delete(execution.taskId);
  }

  function fail(execution: Execution, error: unknown): void {
    remove(execution);
    execution.lease?.cancel();
    execution.lease = undefined;
    execution.fail(error);
  }

  function endAttempt(execution: Execution, { attempt, pid }: HeldLease, why: string): void {
    execution.barrenAttempts++;
    if (execution.barrenAttempts < MAX_BARREN_ATTEMPTS) {
      const text = `Attempt ${attempt.attempt} ended: ${why}. The task goes on from its last checkpoint.`;
      publish(execution, { $case: "log", value: { level: "warning", text } });
      onWaiting();
      return;
    }
    remove(execution);
    void lastWords(pid).then((words) => execution.fail(keepsFailing(why, words)));
  }

  function succeed(execution: Execution, output: TaskOutput): void {
    remove(execution);
    progressCount++;
    progress.replaceCheckpoint(execution.taskId, undefined).then(() => execution.succeed(output), execution.fail);
  }

  function begin(execution: Execution, holder: Omit<HeldLease, "attempt">): Lease {
    const { taskId, task, imageRoot } = execution;
    const attempt = { task_id: taskId, attempt: state.nextAttempt(taskId) };
    const resume = progress.resumePoint(taskId);
    execution.lease = { ...holder, attempt };
    return { task_attempt: attempt, task, image_root: imageRoot, ...resume, shard_credits: SHARD_CREDITS };
  }

  return {
    async submit(taskId, task, imageRoot, onEvent, signal) {
      signal.throwIfAborted();
      await progress.verify(taskId);
      const execution = executions.get(taskId) ?? createExecution(taskId, task, imageRoot);
      executions.set(taskId, execution);
      execution.listeners.add(onEvent);
      onWaiting();
      try {
        return await outcomeOrAbort(execution, signal);
      } finally {
        execution.listeners.delete(onEvent);
        if (signal.aborted && execution.listeners.size === 0) fail(execution, signal.reason);
      }
    },

    waiting: () => [...executions.values()].filter(({ lease }) => lease === undefined),

    lease(execution, holder) {
      try {
        return begin(execution, holder);
      } catch (error) {
        fail(execution, error);
        return undefined;
      }
    },

    find,

    receiveEvent({ task_attempt, event }) {
      const execution = find(task_attempt);
      if (execution === undefined || event === undefined) return;
      if (event.$case === "checkpoint_saved") {
        noteProgress(execution.taskId);
        progress.replaceCheckpoint(execution.taskId, event.value).catch((error: unknown) => fail(execution, error));
      }
      publish(execution, event);
    },

    receiveResult({ task_attempt, result }) {
      const execution = find(task_attempt);
      const lease = execution?.lease;
      if (execution === undefined || lease === undefined) return;
      execution.lease = undefined;
      if (result?.$case === "output") return succeed(execution, result.value);
      const error = result === undefined ? emptyResult() : fromErrorDetail(result.value);
      if (isWorthRetrying(error)) endAttempt(execution, lease, error.message);
      else fail(execution, error);
    },

    lose(attempt, why) {
      const execution = find(attempt);
      const lease = execution?.lease;
      if (execution === undefined || lease === undefined) return;
      execution.lease = undefined;
      endAttempt(execution, lease, why);
    },

    failAll(error) {
      for (const execution of executions.values()) fail(execution, error);
    },
    noteProgress,
    progressCount: () => progressCount,
    log(level, text) {
      for (const execution of executions.values()) publish(execution, { $case: "log", value: { level, text } });
    },
  };
}

/** The worker gave up what nobody had cancelled, or could not reach something: another attempt may do better. */
function isWorthRetrying({ reason }: CasslError): boolean {
  return reason === "CANCELLED" || reason === "FRAME_INVALID" || grpcCodeOf(reason) === GRPC_UNAVAILABLE;
}

function keepsFailing(why: string, words: string): CasslError {
  return new CasslError(
    "WORKER_FAILED",
    `${MAX_BARREN_ATTEMPTS} attempts in a row came no further. The last one: ${why}.${words === "" ? "" : `\n${words}`}`,
    "Look at the worker's last lines; a worker that is killed mostly lacks memory: lower images_per_batch or the input size.",
  );
}

function emptyResult(): CasslError {
  return new CasslError("INTERNAL", "The worker sent a result that holds nothing.", "Please report this.");
}
