import assert from "node:assert/strict";
import { eventJson } from "../../../ts/cli/event-json.js";
import { CasslError, toErrorDetail } from "../../../ts/core/errors.js";
import { State } from "../../../ts/gen/cassl/v1/run.js";
import { eventAt, trainedTo } from "../report/example.js";

const asRead = (...args: Parameters<typeof eventAt>): unknown =>
  JSON.parse(JSON.stringify(eventJson(eventAt(...args))));

describe("event as JSON", () => {
  it("has the names of the protocol, and leaves out no value", () => {
    assert.deepEqual(
      asRead(1, { $case: "step_finished", value: { step: "warmup", key: "k", reused: false, seconds: 0 } }),
      {
        sequence: 1,
        at: "2026-03-01T14:05:10.000Z",
        step_finished: { step: "warmup", key: "k", reused: false, seconds: 0 },
      },
    );
  });

  it("names the kind of progress", () => {
    const { step_progress } = asRead(1, trainedTo("warmup", 5, 100)) as {
      step_progress: { train: { iteration: number; total_iterations: number } };
    };
    assert.deepEqual([step_progress.train.iteration, step_progress.train.total_iterations], [5, 100]);
  });

  it("has names for states and reasons", () => {
    const error = toErrorDetail(new CasslError("GATE_FAILED", "too few boxes", "train longer"));
    const { state_changed } = asRead(1, { $case: "state_changed", value: { state: State.FAILED, error } }) as {
      state_changed: object;
    };
    assert.deepEqual(state_changed, {
      state: "STATE_FAILED",
      error: { reason: "GATE_FAILED", message: "too few boxes", remedy: "train longer" },
    });
  });
});
