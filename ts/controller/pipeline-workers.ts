/** What the pipeline asks of workers, as tasks. A task's id is the key of its step. */
import { CasslError } from "../core/errors.js";
import type { Task, TaskOutput } from "../gen/cassl/v1/task.js";
import type { Workers } from "../pipeline/operations.js";
import type { EmitEvent, StepContext } from "../pipeline/step.js";
import type { TaskListener } from "./execution.js";
import type { ShardLedger } from "./shards.js";
import type { Submit } from "./tasks.js";

export function pipelineWorkers(submit: Submit, shards: ShardLedger, emit: EmitEvent): Workers {
  async function run(kind: Task["kind"], imageRoot: string, step: StepContext): Promise<TaskOutput["kind"]> {
    const output = await submit(step.key, { kind }, imageRoot, forwarding(step.progress, emit), step.signal);
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
      const output = await run({ $case: "predict", value }, imageRoot, step);
      if (output?.$case !== "predict") throw wrongOutput("predict", output);
      return shards.manifest(step.key, value);
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
