import assert from "node:assert/strict";
import { comparison } from "../../../ts/report/comparison.js";
import { armTable } from "../../../ts/report/tables.js";
import { exampleArm, exampleResult } from "./example.js";

describe("comparison", () => {
  it("states a win with its budget and without an interval", () => {
    assert.equal(
      comparison([exampleArm("supervised", 0.4124), exampleArm("class_agnostic", 0.4467)]),
      "class_agnostic is 3.5 AP above supervised at the same total of 900 iterations, one seed: no interval over seeds.",
    );
  });

  it("states a loss as plainly", () => {
    assert.equal(
      comparison([exampleArm("supervised", 0.5), exampleArm("class_agnostic", 0.438)]),
      "class_agnostic is 6.2 AP below supervised at the same total of 900 iterations, one seed: no interval over seeds. It does not win.",
    );
  });

  it("calls it a draw where the shown numbers are equal", () => {
    assert.match(
      comparison([exampleArm("supervised", 0.5001), exampleArm("class_agnostic", 0.5004)]),
      /same AP as supervised .*It does not win/,
    );
  });

  it("compares with class_specific where there is no supervised arm, and nothing with nothing", () => {
    assert.match(
      comparison([exampleArm("class_agnostic", 0.5), exampleArm("class_specific", 0.4)]),
      /10\.0 AP above class_specific/,
    );
    assert.match(comparison([exampleArm("class_agnostic", 0.5)]), /one arm only/);
  });

  it("has a sentence for each other arm", () => {
    const arms = [exampleArm("class_specific", 0.3), exampleArm("supervised", 0.4), exampleArm("class_agnostic", 0.5)];
    const [first, second] = comparison(arms).split("\n");
    assert.match(first ?? "", /^class_specific is 10\.0 AP below supervised/);
    assert.match(second ?? "", /^class_agnostic is 10\.0 AP above supervised/);
  });

  it("compares detectors of one family only, and names the family where there are several", () => {
    const arms = ["fcos", "retinanet"].flatMap((target, n) => [
      { ...exampleArm("supervised", 0.4 + n / 10), target },
      { ...exampleArm("class_agnostic", 0.5), target },
    ]);
    const [first, second] = comparison(arms).split("\n");
    assert.match(first ?? "", /^class_agnostic fcos is 10\.0 AP above supervised fcos/);
    assert.match(second ?? "", /^class_agnostic retinanet has the same AP as supervised retinanet/);
    const names = armTable({ ...exampleResult, arms }).rows.map((row) => row[0]);
    assert.deepEqual(names, [
      "supervised fcos",
      "class_agnostic fcos",
      "supervised retinanet",
      "class_agnostic retinanet",
    ]);
  });

  it("agrees with the differences of the table", () => {
    const arms = [exampleArm("supervised", 0.41249), exampleArm("class_agnostic", 0.41351)];
    assert.deepEqual(
      armTable({ ...exampleResult, arms }).rows.map((row) => row[3]),
      ["41.2", "41.4"],
    );
    assert.match(comparison(arms), /0\.2 AP above/);
  });
});
