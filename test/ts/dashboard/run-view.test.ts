import assert from "node:assert/strict";
import { expectedSteps, lanesWith } from "../../../ts/dashboard/view/expected-steps.js";
import { addEvent, emptyRunView, type RunView } from "../../../ts/dashboard/view/run-view.js";
import { ErrorReason } from "../../../ts/gen/cassl/v1/error_reason.js";
import { type RunEvent, State } from "../../../ts/gen/cassl/v1/run.js";
import { exampleConfig, exampleEvents, trainedTo } from "../report/example.js";

const KEY = "k";

function viewOf(events: readonly RunEvent["event"][]): RunView {
  const view = emptyRunView();
  for (const [index, event] of events.entries()) addEvent(view, { sequence: index + 1, at: 1000 * index, event });
  return view;
}

const started = (step: string) => ({ $case: "step_started", value: { step, key: KEY } }) as const;
const finished = (step: string, reused = false) =>
  ({ $case: "step_finished", value: { step, key: KEY, reused, seconds: 3 } }) as const;

describe("view of a run", () => {
  it("knows of each step how far it is", () => {
    const view = viewOf([
      started("curate"),
      finished("curate", true),
      started("a/warmup"),
      trainedTo("a/warmup", 5, 20),
    ]);
    const [curate, warmup] = [...view.steps.values()];
    assert.deepEqual([curate?.state, curate?.seconds], ["reused", 3]);
    assert.deepEqual([warmup?.state, warmup?.progress?.done, warmup?.progress?.total], ["running", 5, 20]);
  });

  it("draws a curve as the report does, where training went back to a checkpoint, too", () => {
    const view = viewOf([5, 10, 15, 10, 15].map((iteration) => trainedTo("a/warmup", iteration, 20)));
    assert.deepEqual(
      view.curves.get("a/warmup")?.map(({ iteration }) => iteration),
      [5, 10, 15],
    );
    assert.equal(viewOf(exampleEvents(["x/finetune"]).map(({ event }) => event)).curves.get("x/finetune")?.length, 20);
  });

  it("stops the steps of a run that has failed, and starts them when it is tried again", () => {
    const error = { reason: ErrorReason.GATE_FAILED, message: "too few", remedy: "Lower it.", trace: "" };
    const events = [started("a/predict"), { $case: "state_changed", value: { state: State.FAILED, error } } as const];
    assert.equal(viewOf(events).steps.get("a/predict")?.state, "stopped");
    assert.equal(viewOf([...events, started("a/predict")]).steps.get("a/predict")?.state, "running");
    assert.equal(viewOf(events).log.at(-1)?.text, "too few Lower it.");
  });
});

describe("expected steps", () => {
  it("are those of the pipeline", () => {
    const config = { ...exampleConfig, arms: ["supervised", "class_agnostic"] };
    assert.deepEqual(
      expectedSteps(config).map(({ arm, steps }) => [arm, steps.length]),
      [
        ["", 2],
        ["supervised", 3],
        ["class_agnostic", 9],
      ],
    );
    const two = { ...config, targets: ["light", "fcos"], arms: ["class_agnostic"] };
    assert.ok(expectedSteps(two)[1]?.steps.includes("class_agnostic/fcos/evaluate"));
  });

  it("are those of the baselines", () => {
    const [shared, self, teacher] = expectedSteps({ ...exampleConfig, arms: ["self_supervised", "mean_teacher"] });
    assert.deepEqual(shared?.steps, ["curate"]);
    assert.deepEqual(
      self?.steps.map((step) => step.split("/")[1]),
      ["pretrain", "finetune", "export", "evaluate"],
    );
    assert.deepEqual(
      teacher?.steps.map((step) => step.split("/")[1]),
      ["mean_teacher", "export", "evaluate"],
    );
  });

  it("follow those that have come, and are none once the run has ended", () => {
    const came = ["curate", "hold_out", "class_agnostic/pseudo_labeler", "class_agnostic/predict"];
    const config = { ...exampleConfig, arms: ["class_agnostic"] };
    const [, lane] = lanesWith(config, came, false);
    // Without held-out images there is no threshold to choose: what was passed over does not wait.
    assert.deepEqual(
      lane?.steps.slice(0, 3).map((step) => step.split("/")[1]),
      ["pseudo_labeler", "predict", "select"],
    );
    assert.equal(lanesWith(config, came, true)[1]?.steps.length, 2);
  });
});
