/** What the pipeline asks of workers, as tasks. A task's id is the key of its step. */
import { CasslError } from "../core/errors.js";
import type { Task, TaskOutput } from "../gen/cassl/v1/task.js";
import type { Config } from "../pipeline/config.js";
import type { TrainedModel, Workers } from "../pipeline/operations.js";
import type { StepContext } from "../pipeline/step.js";
import { kindOf } from "../ray/job-request.js";
import type { FrameTally } from "./frame-tally.js";
import type { ShardLedger } from "./shards.js";
import type { TaskListener, TaskRequest } from "./tasks/execution.js";
import type { Submit } from "./tasks.js";

export interface PipelineWorkersOptions {
  readonly submit: Submit;
  readonly shards: ShardLedger;
  readonly tally: FrameTally;
  /** What the run's configuration says. Left out: nothing. */
  readonly needs?: TaskRequest["needs"];
  /** Who does which kind of task. Left out: attached workers. */
  readonly executor?: Config["executor"];
}

export function pipelineWorkers({ submit, shards, tally, needs, executor }: PipelineWorkersOptions): Workers {
  async function run(
    kind: Task["kind"],
    imageRoot: string,
    step: StepContext,
    imageCount = 0,
  ): Promise<TaskOutput["kind"]> {
    const { key: taskId, participants: beneficiaries, noteIdle } = step;
    const wanted = { ...(needs && { needs }), ...(executor && { executor: executor[kindOf({ kind })] }) };
    const request = { taskId, task: { kind }, imageRoot, imageCount, beneficiaries, noteIdle, ...wanted };
    const output = await submit(request, forwardingTo(step), step.signal);
    return output.kind;
  }

  async function trained(kind: NonNullable<Task["kind"]>, imageRoot: string, step: StepContext): Promise<TrainedModel> {
    const output = await run(kind, imageRoot, step);
    if (output?.$case !== "train" || output.value.weights === undefined) throw wrongOutput(kind.$case, output);
    const { weights, transplant_ledger } = output.value;
    return { weights, transplant_ledger };
  }

  return {
    train: (value, imageRoot, step) => trained({ $case: "train", value }, imageRoot, step),
    pretrain: (value, imageRoot, step) => trained({ $case: "pretrain", value }, imageRoot, step),
    trainMeanTeacher: (value, imageRoot, step) => trained({ $case: "mean_teacher", value }, imageRoot, step),
    async predict(value, imageRoot, step) {
      await run({ $case: "predict", value }, imageRoot, step, await shards.imageCountOf(value));
      const { manifest, parts, ...account } = await shards.settle(step.key, value);
      const frames = tally.ofTask(step.key);
      const committed = { key: step.key, manifest: manifest.sha256, frames, ...account };
      step.emit({ $case: "predictions_committed", value: committed });
      // Named in the step's output, a shard that is lost or damaged makes the step run again, for that shard only.
      return { ...manifest, parts };
    },
    async exportOnnx(value, step) {
      const output = await run({ $case: "export", value }, "", step);
      if (output?.$case !== "export" || output.value.onnx === undefined) throw wrongOutput("export", output);
      return output.value.onnx;
    },
  };
}

function forwardingTo({ progress, emit }: StepContext): TaskListener {
  return (news) => {
    if (news.$case === "train_progress") progress({ $case: "train", value: news.value });
    if (news.$case === "predict_progress") progress({ $case: "predict", value: news.value });
    if (news.$case === "log" || news.$case === "task_waiting") emit(news);
  };
}

function wrongOutput(task: string, output: TaskOutput["kind"]): CasslError {
  const fault = `The worker answered a ${task} task with ${JSON.stringify(output ?? null)}.`;
  return new CasslError("INTERNAL", fault, "Please report this.");
}
