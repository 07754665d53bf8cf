/** What the list of runs says of each. */
import type { ControllerParts } from "../controller/controller.js";
import { fromErrorDetail } from "../core/errors.js";
import { stateName } from "../core/run-state.js";
import type { Worker } from "../gen/cassl/v1/controller_service.js";
import type { ErrorDetail } from "../gen/cassl/v1/error_reason.js";
import { type Run, type RunEvent, State, type StepProgress } from "../gen/cassl/v1/run.js";
import { recentEvents, resultOf, scoreOf } from "./run-facts.js";
import type { Failure } from "./wire/requests.js";
import type { RunRow, WorkerRow } from "./wire/runs.js";

export interface RunRows {
  row(run: Run): Promise<RunRow>;
  workers(): WorkerRow[];
}

type RowParts = Pick<ControllerParts, "pool" | "state" | "artifacts">;

export function createRunRows({ pool, state, artifacts }: RowParts): RunRows {
  return {
    async row(run) {
      const events = run.state === State.SUCCEEDED ? [] : recentEvents(run.run_id, state);
      const result = await resultOf(run, artifacts);
      return {
        id: run.run_id,
        name: run.config?.name ?? "",
        state: stateName(run.state),
        created: run.created_at?.getTime() ?? 0,
        finished: run.finished_at?.getTime(),
        ...currentStep(events),
        scores: result?.arms.map(scoreOf) ?? [],
        error: run.error === undefined ? undefined : toFailure(run.error),
      };
    },
    workers: () => pool.list().map(workerRow),
  };
}

function workerRow({ worker_id, name, host, devices, running_task, draining }: Worker): WorkerRow {
  const steps = running_task?.steps.map(({ run_id, step }) => ({ run: run_id, step }));
  return { id: worker_id, name, host, devices, steps: steps ?? [], draining };
}

/** The step that has started and not ended last, and how far it is. */
function currentStep(events: readonly RunEvent[]): Pick<RunRow, "step" | "progress"> {
  let [step, progress]: [string | undefined, number | undefined] = [undefined, undefined];
  for (const { event } of events) {
    if (event?.$case === "step_started") [step, progress] = [event.value.step, undefined];
    if (event?.$case === "step_progress") [step, progress] = [event.value.step, shareDone(event.value.progress)];
    if (event?.$case === "step_finished" && event.value.step === step) [step, progress] = [undefined, undefined];
  }
  return { step, progress };
}

function shareDone(progress: StepProgress["progress"]): number | undefined {
  switch (progress?.$case) {
    case "train":
      return progress.value.iteration / Math.max(1, progress.value.total_iterations);
    case "predict":
      return progress.value.images_done / Math.max(1, progress.value.total_images);
    case "items":
      return progress.value.done / Math.max(1, progress.value.total);
    default:
      return undefined;
  }
}

function toFailure(detail: ErrorDetail): Failure {
  const { reason, message, remedy } = fromErrorDetail(detail);
  return { reason, message, remedy };
}
