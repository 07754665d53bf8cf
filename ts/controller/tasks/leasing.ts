/** Which task a worker is given, and since when it has it. */
import { performance } from "node:perf_hooks";
import type { HeldLease as Claim, Lease, TaskAttempt } from "../../gen/cassl/v1/worker_service.js";
import type { TaskTable } from "../state.js";
import type { Execution } from "./execution.js";
import type { FairShare } from "./fair-share.js";
import { nextShards, shardsToTakeOver } from "./labelling.js";
import type { HeldLease } from "./lease.js";
import { type Capabilities, lacks } from "./needs.js";
import type { TaskProgress } from "./progress.js";

/** A worker as far as leases need to know it. */
export interface Holder extends Pick<HeldLease, "workerId" | "pid" | "cancel"> {
  readonly capabilities: Capabilities;
}

export interface Leasing {
  /**
   * Begins the next attempt at the task that is first in order, or takes over shards from others where none waits.
   * Undefined if there is nothing for the worker.
   * @param workerCount workers that the work may be shared with, this one included.
   */
  lease(holder: Holder, workerCount: number): Lease | undefined;
  /** Whether a worker might be given something: a task that nobody has, or a part of a prediction. */
  hasOpenWork(): boolean;
  /** Begins the attempt that the worker was started for. Undefined if it is not the one that is due. */
  claim(attempt: TaskAttempt, holder: Holder): Lease | undefined;
  /** Takes an attempt that a worker is at already as the one that counts. `unknown` if the task may yet be submitted. */
  adopt(claim: Claim, holder: Holder): "adopted" | "unknown" | "ended";
  /** Ends the lease of the attempt, which must be one that counts. */
  release(execution: Execution, attempt: TaskAttempt): HeldLease;
  /** Whether a worker of the last controller may be at the task, which only one can do. */
  isAwaited(execution: Execution): boolean;
}

export interface LeasingOptions {
  /** The tasks under way by id, in the order of submission. */
  readonly executions: ReadonlyMap<string, Execution>;
  readonly state: TaskTable;
  readonly progress: TaskProgress;
  readonly fairShare: FairShare;
  /** Whether workers of the controller before this one may yet come back with what they are at. */
  mayReturn(): boolean;
  /** See Lease. */
  creditBytes(): number;
  fail(execution: Execution, error: unknown): void;
}

export function createLeasing(options: LeasingOptions): Leasing {
  const { executions, state, progress, fairShare, mayReturn, creditBytes, fail } = options;

  function hold(execution: Execution, attempt: TaskAttempt, shards: readonly number[], holder: Holder): void {
    const { workerId, pid, cancel } = holder;
    const since = performance.now();
    if (execution.leases.size === 0) execution.idleMs += since - execution.idleSince;
    execution.toldReason = "";
    execution.claimed = Math.max(execution.claimed, attempt.attempt);
    execution.leases.set(attempt.attempt, { attempt, shards, workerId, pid, since, cancel });
  }

  function begin(
    execution: Execution,
    holder: Holder,
    shards: readonly number[],
    number = state.nextAttempt(execution.taskId),
  ): Lease {
    const { taskId, task, imageRoot } = execution;
    const attempt = { task_id: taskId, attempt: number };
    hold(execution, attempt, shards, holder);
    const resume_from = progress.resumePoint(taskId);
    const rest = { shards: [...shards], credit_bytes: creditBytes() };
    return { task_attempt: attempt, task, image_root: imageRoot, resume_from, ...rest };
  }

  /** What there is for the worker of this task. Undefined if nothing. */
  function share(execution: Execution, { workerId }: Holder, workerCount: number): number[] | undefined {
    const { labelling, leases } = execution;
    if (labelling === undefined) return leases.size > 0 || isAwaited(execution) ? undefined : [];
    const shards = nextShards(labelling, leases.values(), workerId, workerCount);
    return shards.length > 0 ? shards : undefined;
  }

  function isAwaited({ taskId, labelling }: Execution): boolean {
    return labelling === undefined && mayReturn() && state.latestAttempt(taskId) > 0;
  }

  function takeOver({ labelling, leases }: Execution, { workerId }: Holder): number[] | undefined {
    if (labelling === undefined) return undefined;
    const shards = shardsToTakeOver(labelling, leases.values(), workerId, performance.now());
    return shards.length > 0 ? shards : undefined;
  }

  /** Begins the first attempt that can begin. */
  function beginFirst(
    inOrder: readonly Execution[],
    holder: Holder,
    choose: (execution: Execution) => number[] | undefined,
  ): Lease | undefined {
    for (const execution of inOrder) {
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

  return {
    lease(holder, workerCount) {
      const open = [...executions.values()].filter(
        (execution) => isOpen(execution) && lacks(execution.needs, holder.capabilities).length === 0,
      );
      const inOrder = fairShare.inOrder(open, executions.values());
      return (
        beginFirst(inOrder, holder, (execution) => share(execution, holder, workerCount)) ??
        beginFirst(inOrder, holder, (execution) => takeOver(execution, holder))
      );
    },

    hasOpenWork() {
      for (const execution of executions.values()) if (isOpen(execution)) return true;
      return false;
    },

    claim({ task_id, attempt }, holder) {
      const execution = executions.get(task_id);
      if (execution === undefined || execution.leases.size > 0 || execution.claimed >= attempt) return undefined;
      if (attempt !== state.latestAttempt(task_id)) return undefined;
      return begin(execution, holder, [...(execution.labelling?.open ?? [])], attempt);
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

    release(execution, { attempt }) {
      const lease = execution.leases.get(attempt) as HeldLease;
      execution.leases.delete(attempt);
      const now = performance.now();
      if (execution.leases.size === 0) execution.idleSince = now;
      fairShare.charge(execution, now - lease.since);
      return lease;
    },

    isAwaited,
  };
}

/** Whether a worker that is for any task might be given it. */
function isOpen({ labelling, leases, executor }: Execution): boolean {
  return executor === "local" && (labelling !== undefined || leases.size === 0);
}
