import assert from "node:assert/strict";
import type { ThresholdChoice } from "../../../ts/labels/choose-threshold.js";
import type { SelectionStats } from "../../../ts/labels/selection-stats.js";
import { type Config, type GateName, parseConfig } from "../../../ts/pipeline/config.js";
import {
  checkGates,
  labelerMeasurements,
  type Measurement,
  pseudoLabelMeasurements,
} from "../../../ts/pipeline/gates.js";
import type { LabelerQuality } from "../../../ts/pipeline/judge-labeler.js";
import type { LabelEvidence } from "../../../ts/pipeline/label-evidence.js";
import type { EmitEvent } from "../../../ts/pipeline/step.js";
import { exampleConfig, exampleResult } from "../report/example.js";

const limits = exampleConfig.gates;

const check = (measurements: readonly Measurement[], changed: Partial<Config["gates"]> = {}) => {
  const events: Parameters<EmitEvent>[0][] = [];
  const run = () =>
    checkGates("class_agnostic", measurements, { ...limits, ...changed }, (event) => events.push(event));
  return { run, events };
};
const verdicts = (measurements: readonly Measurement[]): Partial<Record<GateName, boolean>> =>
  Object.fromEntries(
    check(measurements, { override: measurements.map(({ name }) => name) })
      .run()
      .map(({ name, passed }) => [name, passed]),
  );
const failures = (measurements: readonly Measurement[]) =>
  Object.entries(verdicts(measurements)).flatMap(([name, passed]) => (passed ? [] : [name]));

const soundStats: SelectionStats = {
  images: 100,
  pseudo_labels: 300,
  empty_images: 10,
  predictions: 1000,
  mean_score: 0.6,
  dropped: { score: 600, min_side: 0, nms: 100, max_per_image: 0 },
  images_by_labels: [],
  predictions_by_score: [],
  labels_by_score: [],
};
const soundEvidence: LabelEvidence = { full_images: 0, capped: 3, collapse: { predicted: 0.2, groundTruth: 0.4 } };
const labels = (stats: Partial<SelectionStats> = {}, evidence: Partial<LabelEvidence> = {}) =>
  pseudoLabelMeasurements({ ...soundStats, ...stats }, { ...soundEvidence, ...evidence }, 4);

describe("the gates on pseudo labels", () => {
  it("pass pseudo labels about as dense as the ground truth, with values, limits and reasons", () => {
    const results = check(labels()).run();
    assert.deepEqual(
      results.map(({ name, value, limit, passed }) => [name, value, limit, passed]),
      [
        ["min_pseudo_labels", 300, 1, true],
        ["min_box_ratio", 0.75, 0.2, true],
        ["max_box_ratio", 0.75, 5, true],
        ["max_empty_share", 0.1, 0.8, true],
        ["max_kept_share", 0.4, 0.98, true],
        ["max_full_share", 0, 0.5, true],
        ["max_capped_share", 0.01, 0.5, true],
        ["max_collapse", 0, 0.3, true],
      ],
    );
    assert.match(results[1]?.reason ?? "", /0\.75 times as many boxes .*; within the limit 0\.2\.$/);
  });

  it("pass values at the limit", () => {
    assert.deepEqual(failures(labels({ pseudo_labels: 80, empty_images: 80 })), []);
    assert.deepEqual(failures(labels({ pseudo_labels: 2000 })), []);
  });

  const sick: [what: string, measurements: Measurement[], gates: GateName[]][] = [
    ["too few", labels({ pseudo_labels: 79 }), ["min_box_ratio"]],
    ["too many", labels({ pseudo_labels: 2001 }), ["max_box_ratio"]],
    ["in too few images", labels({ empty_images: 81 }), ["max_empty_share"]],
    ["every prediction", labels({ dropped: { ...soundStats.dropped, score: 0 } }), ["max_kept_share"]],
    [
      "none",
      labels({ pseudo_labels: 0, empty_images: 100 }),
      ["min_pseudo_labels", "min_box_ratio", "max_empty_share"],
    ],
    ["cut off by max_per_image", labels({}, { full_images: 51 }), ["max_full_share"]],
    ["with scores at the cap", labels({}, { capped: 151 }), ["max_capped_share"]],
    ["the same everywhere", labels({}, { collapse: { predicted: 0.95, groundTruth: 0.3 } }), ["max_collapse"]],
  ];
  for (const [what, measurements, gates] of sick) {
    it(`do not pass pseudo labels that are ${what}`, () => {
      assert.deepEqual(failures(measurements), gates);
    });
  }

  it("say so of a policy that keeps nothing although everything else is allowed", () => {
    const nothing = labels({ pseudo_labels: 0, empty_images: 100, predictions: 0 }, { collapse: undefined });
    assert.throws(check(nothing, { min_box_ratio: 0, max_empty_share: 1 }).run, {
      reason: "GATE_FAILED",
      message: /0 predictions on 100 images became 0 pseudo labels; below the limit 1\./,
    });
  });

  it("find no collapse where the ground truth stands as still as the predictions", () => {
    assert.deepEqual(failures(labels({}, { collapse: { predicted: 0.97, groundTruth: 0.85 } })), []);
  });

  it("stop the run with what is wrong, where, and what to do", () => {
    assert.throws(check(labels({ pseudo_labels: 79 })).run, {
      reason: "GATE_FAILED",
      message: /^class_agnostic: .* 0\.20 times .*; below the limit 0\.2\.$/,
      remedy: /Lower .*score_threshold.*lower gates\.min_box_ratio, .*--override-gate min_box_ratio\.$/,
    });
  });

  it("report every gate, those after a failed one included", () => {
    const { run, events } = check(labels({ pseudo_labels: 0, empty_images: 100 }));
    assert.throws(run, { reason: "GATE_FAILED" });
    assert.equal(events.length, 8);
  });

  it("let the run go on where they are overridden, and say that they were", () => {
    const { run, events } = check(labels({ pseudo_labels: 79 }), { override: ["min_box_ratio", "max_box_ratio"] });
    const overridden = run().filter((gate) => gate.overridden);
    assert.deepEqual(
      overridden.map(({ name, passed }) => [name, passed]),
      [["min_box_ratio", false]],
    );
    assert.ok(events.some(({ value }) => "overridden" in value && value.overridden));
    assert.throws(check(labels({ pseudo_labels: 79 }), { override: ["max_box_ratio"] }).run, {
      reason: "GATE_FAILED",
      remedy: /--override-gate min_box_ratio\.$/,
    });
  });
});

describe("the gates on the pseudo-labeler", () => {
  const sound = exampleResult.arms[1]?.rounds[0]?.quality as LabelerQuality;
  const quality = (change: Partial<LabelerQuality>, threshold: Partial<ThresholdChoice> = {}) =>
    labelerMeasurements({ ...sound, ...change, threshold: { ...sound.threshold, ...threshold } });

  it("pass one that finds objects and knows when", () => {
    assert.deepEqual(failures(quality({})), []);
  });

  it("do not pass one that is wrong, blind, or mistaken about itself", () => {
    assert.deepEqual(failures(quality({}, { precision: 0.49 })), ["min_precision"]);
    assert.deepEqual(failures(quality({}, { recall: 0.09 })), ["min_recall"]);
    assert.deepEqual(failures(quality({ average_recall: 0.04 })), ["min_average_recall"]);
    assert.deepEqual(failures(quality({ calibration_error: 0.41 })), ["max_calibration_error"]);
  });

  it("do not judge where nothing is held out", () => {
    assert.deepEqual(labelerMeasurements(undefined), []);
  });

  it("say on how much they judge", () => {
    assert.match(quality({})[0]?.says ?? "", /score threshold 0\.31.*75\.0 %.*4 held-out images with 16 objects/);
  });
});

describe("limits", () => {
  it("may each be overridden by name", () => {
    const override = Object.keys(limits).filter((name) => name !== "override");
    assert.deepEqual(parseConfig({ ...exampleConfig, gates: { override } }).gates.override, override);
  });
});
