import assert from "node:assert/strict";
import fc from "fast-check";
import { calibrateScores, fitIsotonic, fitTemperature } from "../../../ts/labels/calibration.js";
import { goldenCases } from "./golden-labels.js";
import { assertNear } from "./near.js";

const judged = fc.array(fc.tuple(fc.nat(16), fc.boolean()), { minLength: 1, maxLength: 40 }).map((pairs) => ({
  scores: Float64Array.from(pairs, ([sixteenths]) => sixteenths / 16),
  isRight: Uint8Array.from(pairs, ([, right]) => Number(right)),
}));

describe("isotonic calibration", () => {
  goldenCases("isotonic").forEach((golden, index) => {
    it(`is that of scikit-learn, case ${index}`, () => {
      const fitted = fitIsotonic(Float64Array.from(golden.scores), Uint8Array.from(golden.is_right));
      assertNear(calibrateScores(Float64Array.from(golden.asked), fitted), golden.expected, 1e-12);
    });
  });

  it("never turns the order of two scores, and is right on average", () => {
    fc.assert(
      fc.property(judged, ({ scores, isRight }) => {
        const calibrated = calibrateScores(scores, fitIsotonic(scores, isRight));
        const order = [...scores.keys()].sort((a, b) => (scores[a] as number) - (scores[b] as number));
        order.forEach((index, rank) => {
          const before = calibrated[order[rank - 1] ?? index] as number;
          assert.ok((calibrated[index] as number) >= before);
        });
        const sum = (values: Iterable<number>) => Array.from(values).reduce((total, value) => total + value, 0);
        assert.ok(Math.abs(sum(calibrated) - sum(isRight)) < 1e-9);
      }),
    );
  });

  it("changes nothing when it is fitted again to what it has made", () => {
    fc.assert(
      fc.property(judged, ({ scores, isRight }) => {
        const once = calibrateScores(scores, fitIsotonic(scores, isRight));
        assertNear(calibrateScores(once, fitIsotonic(once, isRight)), once, 1e-12);
      }),
    );
  });

  it("refuses to be fitted to nothing", () => {
    assert.throws(() => fitIsotonic(new Float64Array(0), new Uint8Array(0)), { reason: "CONFIG_INVALID" });
  });
});

describe("temperature", () => {
  goldenCases("temperature").forEach((golden, index) => {
    it(`is that of logistic regression without intercept, case ${index}`, () => {
      const { temperature } = fitTemperature(Float64Array.from(golden.scores), Uint8Array.from(golden.is_right));
      assertNear([temperature / golden.expected], [1], 1e-4);
    });
  });

  it("leaves scores that tell the truth, and softens those that are too sure", () => {
    const repeat = (value: number, count: number) => Array.from({ length: count }, () => value);
    const right = Uint8Array.from([...repeat(1, 8), ...repeat(0, 2), ...repeat(1, 3), ...repeat(0, 7)]);
    const honest = Float64Array.from([...repeat(0.8, 10), ...repeat(0.3, 10)]);
    const boastful = Float64Array.from([...repeat(0.99, 10), ...repeat(0.05, 10)]);
    assertNear([fitTemperature(honest, right).temperature], [1], 1e-2);
    assert.ok(fitTemperature(boastful, right).temperature > 2);
  });

  it("is finite where all are right, and takes scores of 0 and 1", () => {
    const { temperature } = fitTemperature(new Float64Array([0.6, 0.9]), new Uint8Array([1, 1]));
    assert.ok(temperature >= 1e-3 && temperature < 0.1);
    const calibrated = calibrateScores(new Float64Array([0, 0.5, 1]), { kind: "temperature", temperature: 2 });
    assertNear(calibrated, [0.001, 0.5, 0.999], 1e-5);
  });
});
