import assert from "node:assert/strict";
import { keepsFailing } from "../../../../ts/controller/tasks/setbacks.js";

describe("a task that keeps failing", () => {
  it("says why in a sentence, be it a reason or the message of an error", () => {
    for (const why of ["the worker was lost", "the worker was lost."])
      assert.match(keepsFailing(why, "").message, /The last one: the worker was lost\.$/);
  });

  it("repeats what the worker has said last", () => {
    assert.match(keepsFailing("it was killed", "Out of memory").message, /it was killed\.\nOut of memory$/);
  });
});
