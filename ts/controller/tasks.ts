/**
 * The tasks that are under way. A training or an export is given to one worker, a prediction to as many as are idle.
 * When a worker is lost its task waits for another one, and goes on from its latest checkpoint and shards.
 * Only the attempts that the leases name count.
 */
import { performance } from "node:perf_hooks";
import { orAborted } from "../core/concurrency.js";
import { type CasslError, fromErrorDetail } from "../core/errors.js";
import type { TaskOutput } from "../gen/cassl/v1/task.js";
import type { TaskAttempt, TaskEvent, TaskResult } from "../gen/cassl/v1/worker_service.js";
import type { TaskTable } from "./state.js";
import {
  createExecution,
  type Execution,
  idleMsOf,
  publish,
  type TaskListener,
  type TaskRequest,
} from "./tasks/execution.js";
import { createFairShare } from "./tasks/fair-share.js";
import { createLabelling, progressOf, shardUnderWay } from "./tasks/labelling.js";
import type { HeldLease } from "./tasks/lease.js";
import { createLeasing, type Leasing, type LeasingOptions } from "./tasks/leasing.js";
import { needsOf } from "./tasks/needs.js";
import { createProvided, type Provided } from "./tasks/provided.js";
import {
  countSetback,
  emptyResult,
  isWorthRetrying,
  keepsFailing,
  MAX_SETBACKS,
  setbackText,
} from "./tasks/setbacks.js";
import { createTaskView, type TaskView } from "./tasks/view.js";

export type { Holder } from "./tasks/leasing.js";

export type Submit = (request: TaskRequest, onEvent: TaskListener, signal: AbortSignal) => Promise<TaskOutput>;

export interface TaskQueue extends Pick<Leasing, "lease" | "claim" | "hasOpenWork" | "adopt">, TaskView, Provided {
  /**
   * Has workers do the task. Two submissions of one task share its execution; it is cancelled when all have aborted.
   * WORKER_FAILED when three attempts ended at the same point; else the error that the worker reports.
   */
  readonly submit: Submit;
  /** Undefined if the attempt is not one that counts. */
  find(attempt: TaskAttempt | undefined): Execution | undefined;
  isUnderWay(taskId: string): boolean;
  receiveEvent(event: TaskEvent): void;
  receiveResult(result: TaskResult): void;
  /** A shard of the attempt is committed, by this or by another one. */
  noteShard(attempt: TaskAttempt, shard: number): void;
  /** The attempt ended without a result. */
  lose(attempt: TaskAttempt, why: string): void;
  /** Fails the tasks that wait for attached workers. */
  failLocal(error: CasslError): void;
  /** How often any task has come further. */
  progressCount(): number;
  /** Tells those who wait for tasks, or for one of them. */
  log(level: "info" | "warning", text: string, taskId?: string): void;
}

export interface TaskQueueOptions extends Pick<LeasingOptions, "state" | "progress" | "mayReturn" | "creditBytes"> {
  /** Called when there is something to do for idle workers. */
  onWaiting(): void;
  /** What a worker process that was lost has said, if it is ours. */
  lastWords(pid: number): Promise<string>;
}

/** What a prediction leaves is in the shards. */
const ALL_COMMITTED: TaskOutput = { kind: undefined };

export function createTaskQueue(options: TaskQueueOptions): TaskQueue {
  const { state, progress, onWaiting, lastWords } = options;
  /** By task id, in the order of submission. */
  const executions = new Map<string, Execution>();
  const fairShare = createFairShare();
  const { release, isAwaited, ...leasing } = createLeasing({ ...options, executions, fairShare, fail });
  let progressCount = 0;

  function find(attempt: TaskAttempt | undefined): Execution | undefined {
    const execution = executions.get(attempt?.task_id ?? "");
    return execution?.leases.has(attempt?.attempt ?? 0) ? execution : undefined;
  }

  function end(execution: Execution): void {
    if (executions.get(execution.taskId) === execution) executions.delete(execution.taskId);
    const idleSeconds = idleMsOf(execution) / 1000;
    for (const { noteIdle } of execution.requesters) noteIdle?.(idleSeconds);
    for (const lease of [...execution.leases.values()]) release(execution, lease.attempt).cancel();
  }

  function fail(execution: Execution, error: unknown): void {
    end(execution);
    execution.fail(error);
  }

  function succeed(execution: Execution, output: TaskOutput): void {
    end(execution);
    progressCount++;
    progress.replaceCheckpoint(execution.taskId, undefined).then(() => execution.succeed(output), execution.fail);
  }

  /** @param error that the task fails with if that comes up again and again. */
  function setBack(execution: Execution, lease: HeldLease, why: string, error?: CasslError): void {
    if (countSetback(execution, lease, state) < MAX_SETBACKS) {
      const text = setbackText(execution, lease, why);
      publish(execution, { $case: "log", value: { level: "warning", text } });
      onWaiting();
      return;
    }
    end(execution);
    const words = lease.pid === undefined ? Promise.resolve("") : lastWords(lease.pid);
    void words.then((said) => execution.fail(keepsFailing(why, said, error)));
  }

  function open(request: TaskRequest): Execution {
    const known = executions.get(request.taskId);
    if (known !== undefined) return known;
    const execution = createExecution(request, needsOf(request.task, request.needs), labellingOf(request, state));
    executions.set(request.taskId, execution);
    return execution;
  }

  return {
    ...leasing,
    ...createTaskView(executions, fairShare, isAwaited),
    ...createProvided({ executions, state, release, setBack, fail }),
    find,
    isUnderWay: (taskId) => executions.has(taskId),

    async submit(request, listen, signal) {
      signal.throwIfAborted();
      await progress.verify(request.taskId);
      const execution = open(request);
      const requester = { ...request, listen };
      execution.requesters.add(requester);
      fairShare.enter(execution, executions.values());
      if (execution.labelling?.open.size === 0) succeed(execution, ALL_COMMITTED);
      onWaiting();
      try {
        return await orAborted(execution.outcome, signal);
      } finally {
        execution.requesters.delete(requester);
        if (signal.aborted && execution.requesters.size === 0) fail(execution, signal.reason);
      }
    },

    receiveEvent({ task_attempt, event }) {
      const execution = find(task_attempt);
      const lease = execution?.leases.get(task_attempt?.attempt ?? 0);
      if (execution === undefined || lease === undefined || event === undefined) return;
      if (event.$case === "predict_progress" && execution.labelling !== undefined) {
        execution.labelling.speeds.set(lease.workerId, event.value.images_per_second);
        return;
      }
      if (event.$case === "checkpoint_saved") {
        progressCount++;
        progress.replaceCheckpoint(execution.taskId, event.value).catch((error: unknown) => fail(execution, error));
      }
      publish(execution, event);
    },

    receiveResult({ task_attempt, result }) {
      const execution = find(task_attempt);
      if (execution === undefined || task_attempt === undefined) return;
      const lease = release(execution, task_attempt);
      if (result?.$case === "handed_back") return onWaiting();
      if (result?.$case === "output") {
        if (execution.labelling === undefined) succeed(execution, result.value);
        else if (shardUnderWay(execution.labelling, lease) >= 0) setBack(execution, lease, "it left out shards");
        return;
      }
      const error = result === undefined ? emptyResult() : fromErrorDetail(result.value);
      if (isWorthRetrying(error)) setBack(execution, lease, error.message, ofRay(error));
      else fail(execution, error);
    },

    noteShard(attempt, shard) {
      const execution = find(attempt);
      if (execution?.labelling === undefined) return;
      const { labelling, leases } = execution;
      labelling.commits.set(attempt.attempt, performance.now());
      if (!labelling.open.delete(shard)) return;
      progressCount++;
      publish(execution, { $case: "predict_progress", value: progressOf(labelling, leases.values()) });
      if (labelling.open.size === 0) succeed(execution, ALL_COMMITTED);
    },

    lose(attempt, why) {
      const execution = find(attempt);
      if (execution !== undefined) setBack(execution, release(execution, attempt), why);
    },

    failLocal(error) {
      for (const execution of [...executions.values()]) if (execution.executor === "local") fail(execution, error);
    },

    progressCount: () => progressCount,
    log(level, text, taskId) {
      for (const execution of executions.values())
        if (taskId === undefined || taskId === execution.taskId)
          publish(execution, { $case: "log", value: { level, text } });
    },
  };
}

/** Of an error that is worth another attempt: what keeps its name when the last one fails. */
function ofRay(error: CasslError): CasslError | undefined {
  return error.reason === "RAY_JOB_FAILED" ? error : undefined;
}

function labellingOf({ taskId, task, imageCount = 0 }: TaskRequest, state: TaskTable) {
  if (task.kind?.$case !== "predict") return undefined;
  const committed = state.shardsOf(taskId).map(({ shard }) => shard);
  return createLabelling(imageCount, task.kind.value.predict?.shard_size ?? 1, committed);
}
