import assert from "node:assert/strict";
import { type PlainProgress, plainLines } from "../../../ts/cli/plain-progress.js";
import { NO_PROGRESS } from "../../../ts/cli/progress.js";
import type { RunEvent } from "../../../ts/gen/cassl/v1/run.js";
import { eventAt, exampleEvents, trainedTo } from "../report/example.js";

function allLines(events: readonly RunEvent[], expected = 0): string[] {
  let state: PlainProgress = { progress: { ...NO_PROGRESS, expected } };
  return events.flatMap((event) => {
    const next = plainLines(state, event);
    state = next.state;
    return next.lines;
  });
}

describe("plain progress", () => {
  it("has a line at the start and at the end of each step", () => {
    assert.deepEqual(allLines(exampleEvents(["class_agnostic/warmup"]), 14), [
      "curate: started, step 1 of 14",
      "curate                           reused (took 41 s before)",
      "class_agnostic/warmup: started, step 2 of 14",
      "class_agnostic/warmup: 100/100  loss 0.400  31.4 img/s",
      "class_agnostic/warmup            done in 10 s, loss 0.400",
    ]);
  });

  it("has a line of progress every ten seconds at most", () => {
    const started = eventAt(0, { $case: "step_started", value: { step: "warmup", key: "k" } });
    const progress = Array.from({ length: 61 }, (_, second) => eventAt(second, trainedTo("warmup", second + 1, 100)));
    assert.equal(allLines([started, ...progress]).length, 1 + 6);
  });
});
