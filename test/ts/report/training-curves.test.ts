import assert from "node:assert/strict";
import { batchesOf, stepSpans, trainingCurves } from "../../../ts/report/training-curves.js";
import { eventAt, exampleEvents, progressIn, trainedTo } from "./example.js";

describe("training curves", () => {
  it("has a curve for each step that trained", () => {
    const curves = trainingCurves(progressIn(exampleEvents(["class_agnostic/warmup", "class_agnostic/finetune"])));
    assert.deepEqual(
      curves.map(({ step, points }) => [step, points.length]),
      [
        ["class_agnostic/warmup", 20],
        ["class_agnostic/finetune", 20],
      ],
    );
  });

  it("counts the later attempt where training went back to a checkpoint", () => {
    const iterations = [10, 20, 30, 25, 35];
    const events = iterations.map((iteration, index) => eventAt(index, trainedTo("warmup", iteration, 50)));
    assert.deepEqual(
      trainingCurves(progressIn(events))[0]?.points.map((point) => point.iteration),
      [10, 20, 25, 35],
    );
  });
});

describe("the batches of a training", () => {
  it("are named once, and again where other processes shared them", () => {
    const points = [1, 2, 2, 0].map((processes, iteration) => {
      const rest = { total_iterations: 4, losses: {}, learning_rate: 0.1, images_per_second: 1 };
      return { ...rest, iteration, images_per_batch: processes === 0 ? 0 : 16, processes };
    });
    const text = batchesOf({ step: "warmup", points });
    assert.equal(text, "16 images a batch, then 16 images a batch over 2 processes");
    assert.equal(batchesOf({ step: "warmup", points: points.slice(3) }), "");
  });
});

describe("step spans", () => {
  it("places each finished step on the clock of the run", () => {
    const spans = stepSpans(exampleEvents(["warmup"]));
    assert.deepEqual(
      spans.map(({ step, reused }) => [step, reused]),
      [
        ["curate", true],
        ["warmup", false],
      ],
    );
    assert.equal(spans[0]?.seconds, 41.2);
    assert.ok(Math.abs((spans[1]?.startSeconds ?? 0) - 0.1) < 1e-6);
    assert.ok(Math.abs((spans[1]?.endSeconds ?? 0) - 10.1) < 1e-6);
  });
});
