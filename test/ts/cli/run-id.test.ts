import assert from "node:assert/strict";
import { defaultRunId, retriedRunId } from "../../../ts/cli/run-id.js";
import { Run, State } from "../../../ts/gen/cassl/v1/run.js";

const run = (run_id: string, state: State): Run => Run.create({ run_id, state });
const NOW = new Date(2026, 2, 1, 4, 5, 9);

describe("run id", () => {
  it("is the name and the local time", () => {
    assert.equal(defaultRunId("blood", NOW, []), "blood-20260301-040509");
  });

  it("has a suffix if it is taken", () => {
    const taken = [run("blood-20260301-040509", State.RUNNING), run("blood-20260301-040509-2", State.FAILED)];
    assert.equal(defaultRunId("blood", NOW, taken), "blood-20260301-040509-3");
  });

  it("that the user chose is kept, except for another try after a failure", () => {
    assert.equal(retriedRunId("mine", [run("mine", State.SUCCEEDED)]), "mine");
    assert.equal(retriedRunId("mine", [run("mine", State.CANCELLED)]), "mine-2");
    assert.equal(retriedRunId("mine", [run("mine", State.FAILED), run("mine-2", State.SUCCEEDED)]), "mine-2");
  });
});
