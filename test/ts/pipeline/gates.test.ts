import assert from "node:assert/strict";
import type { SelectionStats } from "../../../ts/labels/select.js";
import { checkGates, pseudoLabelGates } from "../../../ts/pipeline/gates.js";
import type { EmitEvent } from "../../../ts/pipeline/step.js";

const limits = { min_box_ratio: 0.2, max_box_ratio: 5, max_empty_share: 0.8 };
const stats = (change: Partial<SelectionStats> = {}): SelectionStats => ({
  images: 100,
  pseudo_labels: 300,
  empty_images: 10,
  predictions: 1000,
  mean_score: 0.6,
  dropped: { score: 600, min_side: 0, nms: 100, max_per_image: 0 },
  ...change,
});

describe("the gates on pseudo labels", () => {
  const check = (change: Partial<SelectionStats>, groundTruthPerImage = 4) => {
    const events: Parameters<EmitEvent>[0][] = [];
    const run = () =>
      checkGates(pseudoLabelGates(stats(change), groundTruthPerImage, limits), (event) => events.push(event));
    return { run, events };
  };

  it("pass pseudo labels about as dense as the ground truth", () => {
    assert.deepEqual(check({}).run(), [
      { name: "min_box_ratio", value: 0.75, limit: 0.2, passed: true },
      { name: "max_box_ratio", value: 0.75, limit: 5, passed: true },
      { name: "max_empty_share", value: 0.1, limit: 0.8, passed: true },
    ]);
  });

  it("pass values at the limit", () => {
    assert.doesNotThrow(check({ pseudo_labels: 80, empty_images: 80 }).run);
    assert.doesNotThrow(check({ pseudo_labels: 2000 }).run);
  });

  it("stop a run of too few, too many or too concentrated pseudo labels, with value, limit and remedy", () => {
    assert.throws(check({ pseudo_labels: 79 }).run, {
      reason: "GATE_FAILED",
      message: /0\.20 times .*below the limit 0\.2/,
      remedy: /Lower .*score_threshold/,
    });
    assert.throws(check({ pseudo_labels: 2001 }).run, {
      reason: "GATE_FAILED",
      message: /above the limit 5/,
      remedy: /Raise .*score_threshold/,
    });
    assert.throws(check({ empty_images: 81 }).run, {
      reason: "GATE_FAILED",
      message: /81\.0 % .*limit 80 %/,
      remedy: /max_empty_share/,
    });
  });

  it("stop a run without any pseudo label", () => {
    assert.throws(check({ pseudo_labels: 0, empty_images: 100 }).run, { reason: "GATE_FAILED" });
  });

  it("report every gate, those after a failed one included", () => {
    const { run, events } = check({ pseudo_labels: 0, empty_images: 100 });
    assert.throws(run);
    assert.deepEqual(
      events.map(({ value }) => "passed" in value && [value.name, value.passed]),
      [
        ["min_box_ratio", false],
        ["max_box_ratio", true],
        ["max_empty_share", false],
      ],
    );
  });
});
