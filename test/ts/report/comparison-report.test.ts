import assert from "node:assert/strict";
import type { ArmSummary, ComparisonGroup, Spread } from "../../../ts/comparison/results.js";
import type { Arm } from "../../../ts/pipeline/config.js";
import { spectrum } from "../../../ts/report/comparison-report.js";
import { assertWellFormed } from "./well-formed.js";

describe("AP against task specificity", () => {
  it("has the arms from features without a task to the task itself, and the supervised one as a line", () => {
    const figure = spectrum(
      group(["supervised", "mean_teacher", "class_specific", "class_agnostic", "self_supervised"]),
    );
    assert.ok(figure);
    assertWellFormed(figure.html);
    const names = Array.from(figure.html.matchAll(/>(\w+)<\/text>/g), ([, name]) => name).filter((name) =>
      /_|sup/.test(name ?? ""),
    );
    assert.deepEqual(names, ["supervised", "self_supervised", "class_agnostic", "class_specific", "mean_teacher"]);
    assert.equal(figure.html.match(/<circle/g)?.length, 8);
  });

  it("is left out where there is nothing to place or to compare with", () => {
    assert.equal(spectrum(group(["supervised", "class_agnostic"])), undefined);
    assert.equal(spectrum(group(["class_specific", "class_agnostic"])), undefined);
  });
});

function group(arms: readonly Arm[]): ComparisonGroup {
  return { labeled_images: 5, target: "light", arms: arms.map(summary), differences: [] };
}

function summary(arm: Arm): ArmSummary {
  const ap: Spread = { mean: 0.3, values: [0.25, 0.35] };
  const same = { ap, ap50: ap, ap75: ap, class_agnostic_ap: ap, oracle_class_ap: ap };
  return { arm, seeds: [0, 1], ...same, total_iterations: 100, seconds: 1 };
}
