import assert from "node:assert/strict";
import { lastingLines, type Tone } from "../../../ts/cli/lasting-lines.js";
import { advance, NO_PROGRESS } from "../../../ts/cli/progress.js";
import type { RunEvent } from "../../../ts/gen/cassl/v1/run.js";
import { eventAt, trainedTo } from "../report/example.js";

const STEP = "class_agnostic/warmup";

function lineOf(event: RunEvent["event"], progress = NO_PROGRESS): { text: string; tone: Tone } {
  const [line] = lastingLines(progress, eventAt(0, event));
  assert.ok(line !== undefined);
  return line;
}

const finished = (reused: boolean): RunEvent["event"] => ({
  $case: "step_finished",
  value: { step: STEP, key: "k", reused, seconds: 41.2 },
});
const log = (level: string, text: string): RunEvent["event"] => ({ $case: "log", value: { level, text } });

describe("lasting lines", () => {
  it("say how long a step took and what its loss was", () => {
    const progress = advance(NO_PROGRESS, eventAt(10, trainedTo(STEP, 300, 300)));
    assert.equal(lineOf(finished(false), progress).text, "class_agnostic/warmup            done in 41 s, loss 0.400");
  });

  it("say that a step was reused", () => {
    assert.equal(lineOf(finished(true)).text, "class_agnostic/warmup            reused (took 41 s before)");
  });

  it("say what a gate measured, in words as in colour", () => {
    const measured = { name: "max_empty_share", scope: "class_agnostic", value: 0.9123, limit: 0.8 };
    const gate = (passed: boolean, overridden = false): { text: string; tone: Tone } => {
      const value = { ...measured, passed, overridden, reason: "91.2 % have none.", remedy: "Lower it." };
      return lineOf({ $case: "gate_checked", value });
    };
    assert.match(gate(true).text, /^class_agnostic +gate max_empty_share passed: 0\.912, limit 0\.8$/);
    assert.match(gate(false).text, /FAILED: 91\.2 % have none\.$/);
    assert.match(gate(false, true).text, /NOT PASSED, overridden: 91\.2 % have none\.$/);
    assert.deepEqual(
      [gate(true), gate(false, true), gate(false)].map(({ tone }) => tone),
      ["plain", "warning", "bad"],
    );
  });

  it("say what the detector of an arm is worth", () => {
    const value = { scope: "class_agnostic", ap: 0.238, ap50: 0.626, ap75: 0, class_agnostic_ap: 0.142 };
    assert.match(
      lineOf({ $case: "arm_evaluated", value }).text,
      /^class_agnostic +AP 23\.8, AP50 62\.6, AP75 0\.0, class-agnostic AP 14\.2$/,
    );
  });

  it("say that every image has been predicted", () => {
    const frames = { committed: 2, repeated: 0, refused: {} };
    const value = { key: "", images_in: 70, images_committed: 70, shards: 2, boxes: 99, manifest: "", frames };
    assert.match(
      lineOf({ $case: "predictions_committed", value }).text,
      /^predictions +99 boxes, 2 shards, images 70 in = 70 committed$/,
    );
  });

  it("pass on what workers say, and move no cursor with it", () => {
    assert.deepEqual(lineOf(log("warning", "slow disk")), { text: "warning: slow disk", tone: "warning" });
    assert.equal(lineOf(log("info", "\x1b[2Jcat\x9b2J")).text, "info: \\x1b[2Jcat\\x9b2J");
  });
});
