import assert from "node:assert/strict";
import fc from "fast-check";
import { advance, NO_PROGRESS, type Progress, progressOf } from "../../../ts/cli/progress.js";
import { progressLines } from "../../../ts/cli/progress-lines.js";
import type { RunEvent } from "../../../ts/gen/cassl/v1/run.js";
import { Run } from "../../../ts/gen/cassl/v1/run.js";
import { toRunConfig } from "../../../ts/pipeline/config.js";
import { eventAt, exampleConfig, trainedTo } from "../report/example.js";

const STEP = "class_agnostic/warmup";
const STARTED: RunEvent["event"] = { $case: "step_started", value: { step: STEP, key: "k" } };
const FINISHED: RunEvent["event"] = {
  $case: "step_finished",
  value: { step: STEP, key: "k", reused: false, seconds: 41.2 },
};

const images = (images_done: number): RunEvent["event"] => {
  const value = { images_done, total_images: 400, images_per_second: 52.34 };
  return { $case: "step_progress", value: { step: STEP, key: "k", progress: { $case: "predict", value } } };
};

const HALFWAY = [
  eventAt(0, STARTED),
  eventAt(10, trainedTo(STEP, 60, 300)),
  eventAt(20, trainedTo(STEP, 120, 300)),
] as const;

function progressAfter(events: readonly RunEvent[], start: Progress = NO_PROGRESS): Progress {
  return events.reduce<Progress>(advance, start);
}

function linesAt(seconds: number, progress: Progress, width = 100, color = false): string[] {
  return progressLines(progress, { now: eventAt(seconds, undefined).at?.getTime() ?? 0, width, color });
}

const lineAt = (...args: Parameters<typeof linesAt>): string => linesAt(...args)[1] ?? "";

describe("progress lines", () => {
  it("show how long a step that says nothing has been under way", () => {
    assert.equal(lineAt(7, progressAfter([eventAt(0, STARTED)])), "class_agnostic/warmup  7.0 s");
  });

  it("show bar, iterations, time left, loss and rate", () => {
    const line = lineAt(20, progressAfter(HALFWAY));
    assert.match(line, /^class_agnostic\/warmup {2}\[=+-+\] {2}120\/300 {2}ETA 0:30 {2}loss 0\.902 {2}31\.4 img\/s$/);
    const [, done = "", open = ""] = /\[(=+)(-+)\]/.exec(line) ?? [];
    assert.ok(Math.abs(done.length / (done.length + open.length) - 120 / 300) < 0.05);
  });

  it("have room for all of it in 80 columns", () => {
    assert.match(lineAt(20, progressAfter(HALFWAY), 80), /\[=+-+\] .*ETA.*loss.*img\/s$/);
  });

  it("leave out the rate first, then the loss, where a terminal is narrow, and never the bar before them", () => {
    const shown = (width: number): string[] =>
      ["]", "120/300", "ETA", "loss", "img/s"].filter((part) =>
        lineAt(20, progressAfter(HALFWAY), width).includes(part),
      );
    assert.deepEqual(shown(70), ["]", "120/300", "ETA", "loss"]);
    assert.deepEqual(shown(60), ["]", "120/300", "ETA"]);
    assert.deepEqual(shown(45), ["]", "120/300"]);
    assert.deepEqual(shown(35), ["120/300"]);
  });

  it("say which step of how many it is, and how long the run has taken", () => {
    const run = Run.fromPartial({ config: toRunConfig(exampleConfig) });
    const progress = progressAfter([eventAt(0, STARTED), eventAt(50, FINISHED), eventAt(60, STARTED)], progressOf(run));
    // Curation, what is held out, three steps of the supervised arm, nine of CA-SSL.
    assert.equal(linesAt(62, progress)[0], "step 2 of 14, 1 min 02 s");
  });

  it("count from the beginning again when a run is tried again", () => {
    const again: RunEvent["event"] = { $case: "state_changed", value: { state: 2, error: undefined } };
    const progress = progressAfter([...HALFWAY, eventAt(30, again), eventAt(31, STARTED)], { expected: 5, begun: 0 });
    assert.equal(linesAt(33, progress)[0], "step 1 of 5, 3.0 s");
  });

  it("take the rate from what was done since the first report, not from before a resume", () => {
    const progress = progressAfter([eventAt(0, STARTED), eventAt(10, images(300)), eventAt(20, images(320))]);
    assert.match(lineAt(20, progress), /320\/400 {2}ETA 0:40 {2}52\.3 img\/s$/);
  });

  it("count what the controller itself does", () => {
    const event: RunEvent["event"] = {
      $case: "step_progress",
      value: { step: STEP, key: "k", progress: { $case: "items", value: { done: 7, total: 50 } } },
    };
    assert.match(lineAt(2, progressAfter([eventAt(0, STARTED), eventAt(1, event)])), /\] {2} 7\/50$/);
  });

  it("are shorter than the terminal is wide, with colour as without", () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 200 }), fc.boolean(), (width, color) => {
        for (const line of linesAt(20, progressAfter(HALFWAY), width, color)) {
          // biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences take no place on the screen.
          const shown = line.replace(/\x1b\[\d+m/g, "");
          assert.ok(shown.length < width, `${shown.length} of ${width}`);
        }
      }),
    );
  });

  it("end with the step", () => {
    assert.deepEqual(linesAt(2, progressAfter([eventAt(0, STARTED), eventAt(1, FINISHED)])), []);
  });
});
