/** Tasks whose workers an executor starts, one for each attempt: what it sees of them, and tells of its workers. */
import type { CasslError } from "../../core/errors.js";
import type { TaskAttempt } from "../../gen/cassl/v1/worker_service.js";
import type { ExecutorName } from "../../pipeline/config.js";
import type { TaskTable } from "../state.js";
import type { Execution, Provisioning } from "./execution.js";
import type { HeldLease } from "./lease.js";

/** A task under way, as its executor sees it. */
export type ProvidedTask = Pick<Execution, "taskId" | "task" | "needs">;

export interface Provided {
  /** The tasks under way of an executor. */
  ofExecutor(name: ExecutorName): ProvidedTask[];
  /** How an attempt stands, which is the latest one: no worker has begun it, one is at it, or it counts no longer. */
  standing(attempt: TaskAttempt): "waiting" | "leased" | "over";
  /** The number of the latest attempt, 0 if there was none. */
  latestAttempt(taskId: string): number;
  /** Begins the next attempt: the number that its worker is to be reserved for. */
  nextAttempt(taskId: string): number;
  /** What those who wait for the task are told. */
  noteProvisioning(taskId: string, provisioning: Provisioning): void;
  /** The attempt ends without a result, whether a worker has begun it or not. */
  giveBack(attempt: TaskAttempt, why: CasslError): void;
  /** The task cannot be done. */
  failTask(taskId: string, error: CasslError): void;
}

export interface ProvidedOptions {
  readonly executions: ReadonlyMap<string, Execution>;
  readonly state: TaskTable;
  release(execution: Execution, attempt: TaskAttempt): HeldLease;
  setBack(execution: Execution, lease: HeldLease, why: string, error: CasslError): void;
  fail(execution: Execution, error: unknown): void;
}

export function createProvided({ executions, state, release, setBack, fail }: ProvidedOptions): Provided {
  return {
    ofExecutor: (name) => [...executions.values()].filter(({ executor }) => executor === name),

    standing({ task_id, attempt }) {
      const execution = executions.get(task_id);
      if (execution === undefined || attempt !== state.latestAttempt(task_id)) return "over";
      if (execution.leases.has(attempt)) return "leased";
      return execution.claimed >= attempt ? "over" : "waiting";
    },

    latestAttempt: (taskId) => state.latestAttempt(taskId),
    nextAttempt: (taskId) => state.nextAttempt(taskId),

    noteProvisioning(taskId, provisioning) {
      const execution = executions.get(taskId);
      if (execution !== undefined) execution.provisioning = provisioning;
    },

    giveBack(attempt, why) {
      const execution = executions.get(attempt.task_id);
      if (execution === undefined) return;
      const isHeld = execution.leases.has(attempt.attempt);
      const lease = isHeld ? release(execution, attempt) : unheld(attempt);
      execution.claimed = attempt.attempt;
      lease.cancel();
      setBack(execution, lease, why.message, why);
    },

    failTask(taskId, error) {
      const execution = executions.get(taskId);
      if (execution !== undefined) fail(execution, error);
    },
  };
}

/** What an attempt that nobody has begun would have held. */
function unheld(attempt: TaskAttempt): HeldLease {
  return { attempt, shards: [], workerId: "", pid: undefined, since: 0, cancel: () => {} };
}
