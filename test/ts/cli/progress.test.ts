import assert from "node:assert/strict";
import fc from "fast-check";
import { advance, lastingLines, type Progress, progressLine } from "../../../ts/cli/progress.js";
import type { RunEvent } from "../../../ts/gen/cassl/v1/run.js";
import { eventAt, trainedTo } from "../report/example.js";

const STEP = "class_agnostic/warmup";
const STARTED: RunEvent["event"] = { $case: "step_started", value: { step: STEP, key: "k" } };

const finished = (reused: boolean): RunEvent["event"] => ({
  $case: "step_finished",
  value: { step: STEP, key: "k", reused, seconds: 41.2 },
});
const images = (images_done: number): RunEvent["event"] => {
  const value = { images_done, total_images: 400, images_per_second: 52.34 };
  return { $case: "step_progress", value: { step: STEP, key: "k", progress: { $case: "predict", value } } };
};

function progressAfter(...events: RunEvent[]): Progress | undefined {
  return events.reduce<Progress | undefined>(advance, undefined);
}

function lineAt(seconds: number, progress: Progress | undefined, width = 100, color = false): string {
  assert.ok(progress !== undefined);
  return progressLine(progress, { now: eventAt(seconds, undefined).at?.getTime() ?? 0, width, color });
}

describe("progress line", () => {
  it("shows how long a step that says nothing has been under way", () => {
    assert.equal(lineAt(7, progressAfter(eventAt(0, STARTED))).trimEnd(), "class_agnostic/warmup          7.0 s");
  });

  it("shows bar, iterations, rate, loss and the time left", () => {
    const progress = progressAfter(
      eventAt(0, STARTED),
      eventAt(10, trainedTo(STEP, 60, 300)),
      eventAt(20, trainedTo(STEP, 120, 300)),
    );
    const line = lineAt(20, progress);
    assert.match(line, /^class_agnostic\/warmup {8} {2}\[=+-+\] 120\/300 {2}31\.4 img\/s {2}loss 0\.902 {2}ETA 30 s$/);
    const [, done = "", open = ""] = /\[(=+)(-+)\]/.exec(line) ?? [];
    assert.ok(Math.abs(done.length / (done.length + open.length) - 120 / 300) < 0.05);
  });

  it("takes the rate from what was done since the first report, not from before a resume", () => {
    const progress = progressAfter(eventAt(0, STARTED), eventAt(10, images(300)), eventAt(20, images(320)));
    assert.match(lineAt(20, progress), /320\/400 {2}52\.3 img\/s {2}ETA 40 s$/);
  });

  it("counts what the controller itself does", () => {
    const event: RunEvent["event"] = {
      $case: "step_progress",
      value: { step: STEP, key: "k", progress: { $case: "items", value: { done: 7, total: 50 } } },
    };
    assert.match(lineAt(2, progressAfter(eventAt(0, STARTED), eventAt(1, event))), /\] {2}7\/50$/);
  });

  it("is shorter than the terminal is wide, with colour as without", () => {
    const progress = progressAfter(
      eventAt(0, STARTED),
      eventAt(10, trainedTo(STEP, 60, 300)),
      eventAt(20, trainedTo(STEP, 120, 300)),
    );
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 200 }), fc.boolean(), (width, color) => {
        // biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences take no place on the screen.
        const shown = lineAt(20, progress, width, color).replace(/\x1b\[\d+m/g, "");
        assert.ok(shown.length < width, `${shown.length} of ${width}`);
      }),
    );
  });

  it("ends with the step", () => {
    assert.equal(progressAfter(eventAt(0, STARTED), eventAt(1, finished(false))), undefined);
  });
});

describe("lasting lines", () => {
  it("say how long a step took and what its loss was", () => {
    const progress = progressAfter(eventAt(0, STARTED), eventAt(10, trainedTo(STEP, 300, 300)));
    assert.deepEqual(lastingLines(progress, eventAt(11, finished(false))), [
      "class_agnostic/warmup          done in 41 s, loss 0.400",
    ]);
  });

  it("say that a step was reused", () => {
    assert.deepEqual(lastingLines(progressAfter(eventAt(0, STARTED)), eventAt(0, finished(true))), [
      "class_agnostic/warmup          reused (took 41 s before)",
    ]);
  });

  it("say what a gate measured", () => {
    const measured = { name: "max_empty_share", scope: "class_agnostic", value: 0.9123, limit: 0.8 };
    const gate = (passed: boolean, overridden = false): string => {
      const value = { ...measured, passed, overridden, reason: "91.2 % have none.", remedy: "Lower it." };
      return lastingLines(undefined, eventAt(0, { $case: "gate_checked", value }))[0] ?? "";
    };
    assert.match(gate(true), /^class_agnostic: gate max_empty_share +passed: 0\.912, limit 0\.8$/);
    assert.match(gate(false), /FAILED: 91\.2 % have none\.$/);
    assert.match(gate(false, true), /NOT PASSED, overridden: 91\.2 % have none\.$/);
  });

  it("say that every image has been predicted", () => {
    const frames = { committed: 2, repeated: 0, refused: {} };
    const value = { key: "", images_in: 70, images_committed: 70, shards: 2, boxes: 99, manifest: "", frames };
    assert.match(
      lastingLines(undefined, eventAt(0, { $case: "predictions_committed", value }))[0] ?? "",
      /^predictions +99 boxes, 2 shards, images 70 in = 70 committed$/,
    );
  });

  it("pass on what workers say", () => {
    assert.deepEqual(
      lastingLines(undefined, eventAt(0, { $case: "log", value: { level: "warning", text: "slow disk" } })),
      ["warning: slow disk"],
    );
  });
});
