import assert from "node:assert/strict";
import { mock } from "node:test";
import type { WriteStream } from "node:tty";
import { terminalView } from "../../../ts/cli/terminal-view.js";
import { Run } from "../../../ts/gen/cassl/v1/run.js";
import { eventAt } from "../report/example.js";

describe("the view of a terminal", () => {
  let written: string[];
  const stream = { columns: 80, write: (text: string) => written.push(text) } as unknown as WriteStream;
  const start = (step: string) => eventAt(0, { $case: "step_started", value: { step, key: "k" } });
  beforeEach(() => {
    written = [];
    mock.timers.enable({ apis: ["setInterval", "Date"] });
  });
  afterEach(() => mock.timers.reset());

  it("shows every second how long a step has been under way, in each run of a comparison", () => {
    const view = terminalView(stream);
    for (const step of ["first/warmup", "second/warmup"]) {
      view.begin(Run.create());
      view.show(start(step));
      written = [];
      mock.timers.tick(2000);
      assert.equal(written.filter((text) => text.includes(step)).length, 2);
      view.close();
    }
    written = [];
    mock.timers.tick(2000);
    assert.deepEqual(written, []);
  });
});
