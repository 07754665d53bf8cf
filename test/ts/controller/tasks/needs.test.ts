import assert from "node:assert/strict";
import { type Capabilities, lacks, needsOf, type TaskNeeds } from "../../../../ts/controller/tasks/needs.js";
import { type Task, TrainTask } from "../../../../ts/gen/cassl/v1/task.js";

const train = (family: string): Task => ({
  kind: { $case: "train", value: TrainTask.fromPartial({ detector: { family } }) },
});
const needs = (changes: Partial<TaskNeeds> = {}): TaskNeeds => ({ ...needsOf(train("light")), ...changes });
const cpu: Capabilities = {
  devices: ["cpu"],
  families: ["light", "detectron2_fcos"],
  backends: ["torch"],
  memory_bytes: 16e9,
  gpus: [],
};
const gpu: Capabilities = {
  ...cpu,
  devices: ["cpu", "cuda:0"],
  gpus: [{ device: "cuda:0", name: "H100", memory_bytes: 80e9 }],
};
const whatLacks = (wanted: TaskNeeds, worker: Capabilities): string[] => lacks(wanted, worker).map(({ what }) => what);

describe("what a task needs of a worker", () => {
  it("is nothing special unless the run says so", () => {
    assert.deepEqual(
      [cpu, gpu].map((worker) => whatLacks(needs(), worker)),
      [[], []],
    );
  });

  it("is the kind of device that the worker computes on", () => {
    assert.deepEqual(whatLacks(needs({ device: "cuda" }), cpu), ["a GPU"]);
    assert.deepEqual(whatLacks(needs({ device: "cpu" }), gpu), ["a CPU to compute on"]);
    assert.deepEqual(whatLacks(needs({ device: "cuda" }), gpu), []);
  });

  it("is memory, of which a worker that does not know how much it has has none", () => {
    assert.deepEqual(whatLacks(needs({ memory_gb: 16 }), cpu), []);
    assert.deepEqual(whatLacks(needs({ memory_gb: 17, gpu_memory_gb: 8 }), cpu), [
      "8 GB of GPU memory (none is known)",
      "17 GB of memory (has 16.0 GB)",
    ]);
    assert.deepEqual(whatLacks(needs({ gpu_memory_gb: 80 }), gpu), []);
  });

  it("is the backend of its detector family", () => {
    const [lack] = lacks(needsOf(train("detectron2_fcos")), cpu);
    assert.match(
      `${lack?.what}: ${lack?.remedy}`,
      /the backend detectron2: Install detectron2 .*pip install --no-build-isolation git\+/,
    );
    assert.deepEqual(whatLacks(needsOf(train("detectron2_fcos")), { ...cpu, backends: ["torch", "detectron2"] }), []);
    assert.deepEqual(whatLacks(needsOf(train("fcos")), cpu), ["the detector family fcos"]);
  });
});
