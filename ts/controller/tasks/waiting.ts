/** Why tasks wait, in words. Pure functions. */
import { type RunStep, type WaitingTask, WaitReason } from "../../gen/cassl/v1/run.js";
import { type Beneficiary, beneficiariesOf, type Execution, idleMsOf } from "./execution.js";
import { type Capabilities, type Lack, lacks } from "./needs.js";

/** A worker that takes tasks. */
export interface Candidate {
  readonly name: string;
  readonly capabilities: Capabilities;
}

type Wait = Pick<WaitingTask, "reason" | "message" | "remedy">;

/** How many workers a message names. */
const NAMED_WORKERS = 3;

/** @param isAwaited whether a worker may come back with the task. */
export function describeWaiting(execution: Execution, workers: readonly Candidate[], isAwaited: boolean): WaitingTask {
  return {
    task_id: execution.taskId,
    kind: execution.task.kind?.$case ?? "",
    steps: runSteps(beneficiariesOf(execution)),
    seconds: idleMsOf(execution) / 1000,
    ...(isAwaited ? RETURNING : reasonOf(execution, workers)),
  };
}

export function runSteps(beneficiaries: readonly Beneficiary[]): RunStep[] {
  return beneficiaries
    .filter(({ run }) => run.runId !== "")
    .map(({ run: { runId: run_id }, step }) => ({ run_id, step }));
}

const RETURNING: Wait = {
  reason: WaitReason.WORKER_RETURNING,
  message: "A worker had it before the controller was started, and may come back with it.",
  remedy: "",
};

function reasonOf({ needs, executor, provisioning }: Execution, workers: readonly Candidate[]): Wait {
  if (executor !== "local") return { reason: WaitReason.EXECUTOR, ...provisioning };
  if (workers.length === 0) {
    return {
      reason: WaitReason.NO_WORKER,
      message: "No worker is attached.",
      remedy: "Attach one with `cassl-worker --controller HOST:PORT`.",
    };
  }
  const lacking = workers.map(({ name, capabilities }) => ({ name, lacks: lacks(needs, capabilities) }));
  if (lacking.some((worker) => worker.lacks.length === 0))
    return { reason: WaitReason.WORKERS_BUSY, message: "The workers that could do it have other tasks.", remedy: "" };
  return unmet(lacking);
}

/** @param workers at least one; each lacks something. */
function unmet(workers: readonly { readonly name: string; readonly lacks: readonly Lack[] }[]): Wait {
  const named = workers
    .slice(0, NAMED_WORKERS)
    .map(({ name, lacks }) => `${name} lacks ${lacks.map(({ what }) => what).join(" and ")}`);
  const more = workers.length > NAMED_WORKERS ? [`${workers.length - NAMED_WORKERS} more lack something too`] : [];
  const closest = workers.reduce((best, worker) => (worker.lacks.length < best.lacks.length ? worker : best));
  return {
    reason: WaitReason.NEED_UNMET,
    message: `No attached worker has what it needs: ${[...named, ...more].join("; ")}.`,
    remedy: closest.lacks.map(({ remedy }) => remedy).join(" "),
  };
}
