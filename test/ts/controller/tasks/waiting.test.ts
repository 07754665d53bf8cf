import assert from "node:assert/strict";
import { createExecution } from "../../../../ts/controller/tasks/execution.js";
import { needsOf } from "../../../../ts/controller/tasks/needs.js";
import { type Candidate, describeWaiting } from "../../../../ts/controller/tasks/waiting.js";
import { WaitReason } from "../../../../ts/gen/cassl/v1/run.js";
import { type Task, TrainTask } from "../../../../ts/gen/cassl/v1/task.js";

const task: Task = { kind: { $case: "train", value: TrainTask.fromPartial({ detector: { family: "light" } }) } };
const capabilities = { devices: ["cpu"], families: ["light"], backends: ["torch"], memory_bytes: 4e9, gpus: [] };

describe("why a task waits", () => {
  const wanted = { device: "cuda", gpu_memory_gb: 0, memory_gb: 8 } as const;
  const execution = createExecution({ taskId: "t", task, imageRoot: "" }, needsOf(task, wanted), undefined);
  const small: Candidate = { name: "small", capabilities };
  const large: Candidate = { name: "large", capabilities: { ...capabilities, memory_bytes: 64e9 } };

  it("is that there is no worker, or that the worker which had it may come back", () => {
    const { reason, remedy } = describeWaiting(execution, [], false);
    assert.deepEqual([reason, /cassl-worker --controller/.test(remedy)], [WaitReason.NO_WORKER, true]);
    assert.equal(describeWaiting(execution, [], true).reason, WaitReason.WORKER_RETURNING);
  });

  it("is what each worker lacks, with the remedy for the one that lacks least", () => {
    const { reason, message, remedy, kind } = describeWaiting(execution, [small, large], false);
    assert.deepEqual([reason, kind], [WaitReason.NEED_UNMET, "train"]);
    assert.match(message, /small lacks a GPU and 8 GB of memory \(has 4\.0 GB\); large lacks a GPU\./);
    assert.match(remedy, /machine with a GPU, or set needs\.device to any\.$/);
  });

  it("is that the workers which could do it are busy", () => {
    const able = { name: "able", capabilities: { ...large.capabilities, devices: ["cpu", "cuda:0"] } };
    assert.equal(describeWaiting(execution, [small, able], false).reason, WaitReason.WORKERS_BUSY);
  });
});
