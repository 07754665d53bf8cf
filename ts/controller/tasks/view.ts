/** What can be seen of the tasks under way: which wait, and why, and what a worker is at. */
import { performance } from "node:perf_hooks";
import type { RunningTask } from "../../gen/cassl/v1/controller_service.js";
import { type WaitingTask, WaitReason } from "../../gen/cassl/v1/run.js";
import type { TaskAttempt } from "../../gen/cassl/v1/worker_service.js";
import { beneficiariesOf, type Execution, publish } from "./execution.js";
import type { FairShare } from "./fair-share.js";
import type { Leasing } from "./leasing.js";
import { type Candidate, describeWaiting, runSteps } from "./waiting.js";

export interface TaskView {
  /** The tasks that no worker has, first the one that comes first. @param workers those that take tasks. */
  waiting(workers: readonly Candidate[]): WaitingTask[];
  /** Tells those who wait for a task that no worker will take as things are; once for each reason. */
  tellWaiting(workers: readonly Candidate[]): void;
  /** Undefined if the attempt is not one that counts. */
  running(attempt: TaskAttempt | undefined): RunningTask | undefined;
}

/** Reasons that do not pass by themselves, or that nothing else tells. */
const TOLD: ReadonlySet<WaitReason> = new Set([WaitReason.NO_WORKER, WaitReason.NEED_UNMET, WaitReason.EXECUTOR]);

export function createTaskView(
  executions: ReadonlyMap<string, Execution>,
  fairShare: FairShare,
  isAwaited: Leasing["isAwaited"],
): TaskView {
  function waiting(workers: readonly Candidate[]): WaitingTask[] {
    const idle = [...executions.values()].filter(({ leases }) => leases.size === 0);
    return fairShare
      .inOrder(idle, executions.values())
      .map((execution) => describeWaiting(execution, workers, isAwaited(execution)));
  }

  return {
    waiting,

    tellWaiting(workers) {
      for (const value of waiting(workers)) {
        const { task_id, reason, message } = value;
        const execution = executions.get(task_id);
        const isTold = TOLD.has(reason) && message !== "";
        if (execution === undefined || !isTold || execution.toldReason === message) continue;
        execution.toldReason = message;
        publish(execution, { $case: "task_waiting", value });
      }
    },

    running(attempt) {
      const execution = executions.get(attempt?.task_id ?? "");
      const lease = execution?.leases.get(attempt?.attempt ?? 0);
      if (execution === undefined || lease === undefined) return undefined;
      return {
        task_id: execution.taskId,
        attempt: lease.attempt.attempt,
        kind: execution.task.kind?.$case ?? "",
        steps: runSteps(beneficiariesOf(execution)),
        shards: lease.shards.length,
        seconds: (performance.now() - lease.since) / 1000,
      };
    },
  };
}
