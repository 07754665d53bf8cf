/** One task under way: who waits for it, and which attempts at it count. */
import { performance } from "node:perf_hooks";
import type { WaitingTask } from "../../gen/cassl/v1/run.js";
import type { Task, TaskOutput } from "../../gen/cassl/v1/task.js";
import type { TaskEvent } from "../../gen/cassl/v1/worker_service.js";
import type { ExecutorName } from "../../pipeline/config.js";
import type { Participant } from "../../pipeline/steps-under-way.js";
import type { Labelling } from "./labelling.js";
import type { HeldLease } from "./lease.js";
import type { TaskNeeds } from "./needs.js";

/** What those who wait for a task are told: what its worker reports, or that there is none. */
export type TaskNews =
  | NonNullable<TaskEvent["event"]>
  | { readonly $case: "task_waiting"; readonly value: WaitingTask };
export type TaskListener = (news: TaskNews) => void;

/** A run that a task is done for. */
export type Beneficiary = Pick<Participant, "run" | "step">;

/** What is to be done. */
export interface TaskRequest {
  readonly taskId: string;
  readonly task: Task;
  /** See Lease. */
  readonly imageRoot: string;
  /** Images of the dataset; predictions only. */
  readonly imageCount?: number;
  /** What the task needs of a worker, beside what its detector does. Left out: nothing. */
  readonly needs?: Pick<TaskNeeds, "device" | "gpu_memory_gb" | "memory_gb">;
  /** Who does it. Left out: `local`. */
  readonly executor?: ExecutorName;
  /** Runs may come and go while the task is under way. Left out: it is nobody's in particular. */
  readonly beneficiaries?: ReadonlySet<Beneficiary>;
  /** Told at the end how long no worker had the task. */
  readonly noteIdle?: (seconds: number) => void;
}

/** Who has submitted a task. */
export interface Requester extends Pick<TaskRequest, "beneficiaries" | "noteIdle"> {
  readonly listen: TaskListener;
}

export interface Execution extends Pick<TaskRequest, "taskId" | "task" | "imageRoot"> {
  readonly needs: TaskNeeds;
  readonly executor: ExecutorName;
  readonly outcome: Promise<TaskOutput>;
  readonly requesters: Set<Requester>;
  /** The attempts that count, by number. A prediction may have many, other tasks have one at most. */
  readonly leases: Map<number, HeldLease>;
  /** Undefined for what is no prediction. */
  readonly labelling: Labelling | undefined;
  /** How many attempts have ended at a point: an iteration of a training, a shard of a prediction. */
  readonly setbacks: Map<number, number>;
  /** Monotonic time in ms since when no worker has it. */
  idleSince: number;
  /** How long no worker had it before. */
  idleMs: number;
  /** What was told last of why it waits. */
  toldReason: string;
  /** The latest attempt that a worker has begun. */
  claimed: number;
  /** What an executor other than `local` says of a worker that it is to come by. */
  provisioning: Provisioning;
  succeed(output: TaskOutput): void;
  fail(error: unknown): void;
}

/** How far a worker is that an executor starts for a task. */
export type Provisioning = Pick<WaitingTask, "message" | "remedy">;

export function createExecution(
  { taskId, task, imageRoot, executor = "local" }: TaskRequest,
  needs: TaskNeeds,
  labelling: Labelling | undefined,
): Execution {
  let succeed: Execution["succeed"] = () => {};
  let fail: Execution["fail"] = () => {};
  const outcome = new Promise<TaskOutput>((resolve, reject) => {
    succeed = resolve;
    fail = reject;
  });
  // Everybody may have left before the outcome is known.
  outcome.catch(() => {});
  return {
    taskId,
    task,
    imageRoot,
    needs,
    executor,
    outcome,
    requesters: new Set(),
    leases: new Map(),
    labelling,
    setbacks: new Map(),
    idleSince: performance.now(),
    idleMs: 0,
    toldReason: "",
    claimed: 0,
    provisioning: { message: "", remedy: "" },
    succeed,
    fail,
  };
}

export function publish({ requesters }: Execution, news: TaskNews): void {
  for (const { listen } of requesters) listen(news);
}

const NOBODY: readonly Beneficiary[] = [{ run: { runId: "", priority: 0 }, step: "" }];

/** The runs that the task is done for, at least one. */
export function beneficiariesOf({ requesters }: Execution): readonly Beneficiary[] {
  const found = [...requesters].flatMap(({ beneficiaries }) => [...(beneficiaries ?? [])]);
  return found.length > 0 ? found : NOBODY;
}

/** How long no worker had the task by now, in ms. */
export function idleMsOf({ leases, idleMs, idleSince }: Execution): number {
  return idleMs + (leases.size > 0 ? 0 : performance.now() - idleSince);
}
