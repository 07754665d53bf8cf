/**
 * The tasks that are under way. A training or an export is given to one worker, a prediction to as many as are idle.
 * When a worker is lost its task waits for another one, and goes on from its latest checkpoint and shards.
 * Only the attempts that the leases name count.
 */
import { CasslError, fromErrorDetail } from "../core/errors.js";
import type { Task, TaskOutput } from "../gen/cassl/v1/task.js";
import type { HeldLease as Claim, Lease, TaskAttempt, TaskEvent, TaskResult } from "../gen/cassl/v1/worker_service.js";
import { grpcCodeOf } from "../grpc/codes.js";
import {
  createExecution,
  type Execution,
  outcomeOrAbort,
  publish,
  type TaskListener,
  type TaskRequest,
} from "./execution.js";
import { createLabelling, nextShards, progressOf, shardsToTakeOver, shardUnderWay } from "./labelling.js";
import type { HeldLease } from "./lease.js";
import type { TaskTable } from "./state.js";
import type { TaskProgress } from "./task-progress.js";

export type Submit = (request: TaskRequest, onEvent: TaskListener, signal: AbortSignal) => Promise<TaskOutput>;

/** A worker as far as leases need to know it. */
export interface Holder extends Pick<HeldLease, "workerId" | "pid" | "cancel"> {
  canDo(task: Task): boolean;
}

export interface TaskQueue {
  /**
   * Has workers do the task. Two submissions of one task share its execution; it is cancelled when all have aborted.
   * WORKER_FAILED when three attempts ended at the same point; else the error that the worker reports.
   */
  readonly submit: Submit;
  /**
   * Begins the next attempt at the task that has waited longest, or takes over shards from others where none waits.
   * Undefined if there is nothing for the worker.
   * @param workerCount workers that the work may be shared with, this one included.
   */
  lease(holder: Holder, workerCount: number): Lease | undefined;
  /** Whether a worker might be given something: a task that nobody has, or a part of a prediction. */
  hasOpenWork(): boolean;
  /** Takes an attempt that a worker is at already as the one that counts. `unknown` if the task may yet be submitted. */
  adopt(claim: Claim, holder: Holder): "adopted" | "unknown" | "ended";
  /** Undefined if the attempt is not one that counts. */
  find(attempt: TaskAttempt | undefined): Execution | undefined;
  isUnderWay(taskId: string): boolean;
  receiveEvent(event: TaskEvent): void;
  receiveResult(result: TaskResult): void;
  /** A shard of the attempt is committed, by this or by another one. */
  noteShard(attempt: TaskAttempt, shard: number): void;
  /** The attempt ended without a result. */
  lose(attempt: TaskAttempt, why: string): void;
  failAll(error: CasslError): void;
  /** How often any task has come further. */
  progressCount(): number;
  /** Tells those who wait for tasks, or for one of them. */
  log(level: "info" | "warning", text: string, taskId?: string): void;
}

export interface TaskQueueOptions {
  readonly state: TaskTable;
  readonly progress: TaskProgress;
  /** Called when there is something to do for idle workers. */
  onWaiting(): void;
  /** What a worker process that was lost has said, if it is ours. */
  lastWords(pid: number): Promise<string>;
  /** Whether workers of the controller before this one may yet come back with what they are at. */
  mayReturn(): boolean;
  /** See Lease. */
  creditBytes(): number;
}

/** What a prediction leaves is in the shards. */
const ALL_COMMITTED: TaskOutput = { kind: undefined };
const MAX_SETBACKS = 3;
const GRPC_UNAVAILABLE = 14;

export function createTaskQueue(options: TaskQueueOptions): TaskQueue {
  const { state, progress, onWaiting, lastWords, mayReturn, creditBytes } = options;
  /** By task id, in the order of submission. */
  const executions = new Map<string, Execution>();
  let progressCount = 0;

  function find(attempt: TaskAttempt | undefined): Execution | undefined {
    const execution = executions.get(attempt?.task_id ?? "");
    return execution?.leases.has(attempt?.attempt ?? 0) ? execution : undefined;
  }

  function end(execution: Execution): void {
    if (executions.get(execution.taskId) === execution) executions.delete(execution.taskId);
    for (const lease of execution.leases.values()) lease.cancel();
    execution.leases.clear();
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

  /** Takes the lease from the attempt. */
  function release(execution: Execution, attempt: TaskAttempt): HeldLease {
    const lease = execution.leases.get(attempt.attempt) as HeldLease;
    execution.leases.delete(attempt.attempt);
    return lease;
  }

  function setBack(execution: Execution, lease: HeldLease, why: string): void {
    const { labelling, setbacks, taskId } = execution;
    const point =
      labelling === undefined ? (state.checkpointOf(taskId)?.iteration ?? 0) : shardUnderWay(labelling, lease);
    const count = (setbacks.get(point) ?? 0) + 1;
    setbacks.set(point, count);
    if (count < MAX_SETBACKS) {
      const rest = labelling === undefined ? "from its last checkpoint" : "with the shards that are not committed";
      const text = `Attempt ${lease.attempt.attempt} ended: ${why}. The task goes on ${rest}.`;
      publish(execution, { $case: "log", value: { level: "warning", text } });
      onWaiting();
      return;
    }
    end(execution);
    const words = lease.pid === undefined ? Promise.resolve("") : lastWords(lease.pid);
    void words.then((said) => execution.fail(keepsFailing(why, said)));
  }

  function begin(execution: Execution, holder: Holder, shards: readonly number[]): Lease {
    const { taskId, task, imageRoot } = execution;
    const attempt = { task_id: taskId, attempt: state.nextAttempt(taskId) };
    hold(execution, attempt, shards, holder);
    const resume_from = progress.resumePoint(taskId);
    return {
      task_attempt: attempt,
      task,
      image_root: imageRoot,
      resume_from,
      shards: [...shards],
      credit_bytes: creditBytes(),
    };
  }

  function hold(execution: Execution, attempt: TaskAttempt, shards: readonly number[], holder: Holder): void {
    const { workerId, pid, cancel } = holder;
    execution.leases.set(attempt.attempt, { attempt, shards, workerId, pid, since: performance.now(), cancel });
  }

  /** What there is for the worker of this task. Undefined if nothing. */
  function share(
    { taskId, labelling, leases }: Execution,
    { workerId }: Holder,
    workerCount: number,
  ): number[] | undefined {
    if (labelling === undefined) return leases.size > 0 || isAwaited(taskId) ? undefined : [];
    const shards = nextShards(labelling, leases.values(), workerId, workerCount);
    return shards.length > 0 ? shards : undefined;
  }

  /** Whether another worker may be at the task that only one can do. */
  function isAwaited(taskId: string): boolean {
    return mayReturn() && state.latestAttempt(taskId) > 0;
  }

  function takeOver({ labelling, leases }: Execution, { workerId }: Holder): number[] | undefined {
    if (labelling === undefined) return undefined;
    const shards = shardsToTakeOver(labelling, leases.values(), workerId, performance.now());
    return shards.length > 0 ? shards : undefined;
  }

  /** Begins the first attempt that can begin. */
  function beginFirst(holder: Holder, choose: (execution: Execution) => number[] | undefined): Lease | undefined {
    for (const execution of [...executions.values()]) {
      if (!holder.canDo(execution.task)) continue;
      const shards = choose(execution);
      if (shards === undefined) continue;
      try {
        return begin(execution, holder, shards);
      } catch (error) {
        fail(execution, error);
      }
    }
    return undefined;
  }

  function open(request: TaskRequest): Execution {
    const known = executions.get(request.taskId);
    if (known !== undefined) return known;
    const execution = createExecution(request, labellingOf(request, state));
    executions.set(request.taskId, execution);
    if (execution.labelling?.open.size === 0) succeed(execution, ALL_COMMITTED);
    return execution;
  }

  return {
    async submit(request, onEvent, signal) {
      signal.throwIfAborted();
      await progress.verify(request.taskId);
      const execution = open(request);
      execution.listeners.add(onEvent);
      onWaiting();
      try {
        return await outcomeOrAbort(execution, signal);
      } finally {
        execution.listeners.delete(onEvent);
        if (signal.aborted && execution.listeners.size === 0) fail(execution, signal.reason);
      }
    },

    lease: (holder, workerCount) =>
      beginFirst(holder, (execution) => share(execution, holder, workerCount)) ??
      beginFirst(holder, (execution) => takeOver(execution, holder)),

    hasOpenWork() {
      for (const { labelling, leases } of executions.values()) if (labelling || leases.size === 0) return true;
      return false;
    },

    adopt({ task_attempt, shards }, holder) {
      const { task_id = "", attempt = 0 } = task_attempt ?? {};
      const latest = state.latestAttempt(task_id);
      const execution = executions.get(task_id);
      if (task_attempt === undefined || attempt < 1 || attempt > latest) return "ended";
      if (execution === undefined) return "unknown";
      const isFree = execution.labelling === undefined ? attempt === latest && execution.leases.size === 0 : true;
      if (!isFree || execution.leases.has(attempt)) return "ended";
      hold(execution, task_attempt, shards, holder);
      return "adopted";
    },

    find,
    isUnderWay: (taskId) => executions.has(taskId),

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
      if (isWorthRetrying(error)) setBack(execution, lease, error.message);
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

    failAll(error) {
      for (const execution of [...executions.values()]) fail(execution, error);
    },
    progressCount: () => progressCount,
    log(level, text, taskId) {
      for (const execution of executions.values())
        if (taskId === undefined || taskId === execution.taskId)
          publish(execution, { $case: "log", value: { level, text } });
    },
  };
}

function labellingOf({ taskId, task, imageCount = 0 }: TaskRequest, state: TaskTable) {
  if (task.kind?.$case !== "predict") return undefined;
  const committed = state.shardsOf(taskId).map(({ shard }) => shard);
  return createLabelling(imageCount, task.kind.value.predict?.shard_size ?? 1, committed);
}

/** The worker gave up what nobody had cancelled, or could not reach something: another attempt may do better. */
function isWorthRetrying({ reason }: CasslError): boolean {
  const isTransient = reason === "CANCELLED" || reason === "FRAME_INVALID" || reason === "LEASE_ENDED";
  return isTransient || grpcCodeOf(reason) === GRPC_UNAVAILABLE;
}

function keepsFailing(why: string, words: string): CasslError {
  return new CasslError(
    "WORKER_FAILED",
    `${MAX_SETBACKS} attempts came no further. The last one: ${why}.${words === "" ? "" : `\n${words}`}`,
    "Look at the worker's last lines; a worker that is killed mostly lacks memory: lower images_per_batch or the input size.",
  );
}

function emptyResult(): CasslError {
  return new CasslError("INTERNAL", "The worker sent a result that holds nothing.", "Please report this.");
}
