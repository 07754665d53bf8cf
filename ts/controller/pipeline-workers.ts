/** What the pipeline asks of workers, as tasks. A task's id is the key of its step. */
import { CasslError } from "../core/errors.js";
import type { Task, TaskOutput } from "../gen/cassl/v1/task.js";
import type { Workers } from "../pipeline/operations.js";
import type { EmitEvent, StepContext } from "../pipeline/step.js";
import type { TaskListener } from "./execution.js";
import type { FrameTally } from "./frame-tally.js";
import type { ShardLedger } from "./shards.js";
import type { Submit } from "./tasks.js";

export interface PipelineWorkersOptions {
  readonly submit: Submit;
  readonly shards: ShardLedger;
  readonly tally: FrameTally;
  readonly emit: EmitEvent;
}

export function pipelineWorkers({ submit, shards, tally, emit }: PipelineWorkersOptions): Workers {
  async function run(
    kind: Task["kind"],
    imageRoot: string,
    step: StepContext,
    imageCount = 0,
  ): Promise<TaskOutput["kind"]> {
    const request = { taskId: step.key, task: { kind }, imageRoot, imageCount };
    const output = await submit(request, forwarding(step.progress, emit), step.signal);
    return output.kind;
  }

  return {
    async train(value, imageRoot, step) {
      const output = await run({ $case: "train", value }, imageRoot, step);
      if (output?.$case !== "train" || output.value.weights === undefined) throw wrongOutput("train", output);
      const { weights, transplant_ledger } = output.value;
      return { weights, transplant_ledger };
    },
    async predict(value, imageRoot, step) {
      await run({ $case: "predict", value }, imageRoot, step, await shards.imageCountOf(value));
      const { manifest, parts, ...account } = await shards.settle(step.key, value);
      const frames = tally.ofTask(step.key);
      const committed = { key: step.key, manifest: manifest.sha256, frames, ...account };
      emit({ $case: "predictions_committed", value: committed });
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

function forwarding(progress: StepContext["progress"], emit: EmitEvent): TaskListener {
  return (event) => {
    if (event.$case === "train_progress") progress({ $case: "train", value: event.value });
    if (event.$case === "predict_progress") progress({ $case: "predict", value: event.value });
    if (event.$case === "log") emit(event);
  };
}

function wrongOutput(task: string, output: TaskOutput["kind"]): CasslError {
  const fault = `The worker answered a ${task} task with ${JSON.stringify(output ?? null)}.`;
  return new CasslError("INTERNAL", fault, "Please report this.");
}
