import assert from "node:assert/strict";
import { overlay, stepsOf } from "../../../ts/dashboard/view/overlaid-curves.js";

const RUNS = [
  {
    id: "one",
    curves: [
      { step: "supervised/finetune", points: [[5, 2, 0.1] as const, [10, 1, 0.2] as const] },
      { step: "class_agnostic/warmup", points: [[10, 4, 0.3] as const] },
    ],
  },
  { id: "other", curves: [{ step: "supervised/finetune", points: [[10, 3, 0.4] as const, [20, 2, 0.5] as const] }] },
];

describe("overlay", () => {
  it("puts the step of every run that has it on common iterations, without gaps of its own making", () => {
    assert.deepEqual(overlay(RUNS, "supervised/finetune", "loss"), {
      x: [5, 10, 20],
      lines: [
        { label: "one", values: [2, 1, undefined] },
        { label: "other", values: [undefined, 3, 2] },
      ],
    });
  });

  it("shows the learning rate, and leaves out runs without the step", () => {
    const { x, lines } = overlay(RUNS, "class_agnostic/warmup", "learning rate");
    assert.deepEqual([x, lines], [[10], [{ label: "one", values: [0.3] }]]);
  });

  it("knows the steps of all runs", () => {
    assert.deepEqual(stepsOf(RUNS), ["supervised/finetune", "class_agnostic/warmup"]);
  });
});
