import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { CasslError } from "../../../../ts/core/errors.js";
import { packageRoot } from "../../../../ts/core/package.js";
import type { CocoEvaluation, MatchedEvaluation } from "../../../../ts/evaluation/coco/index.js";
import { accumulateMatches, thresholdIndex } from "../../../../ts/evaluation/diagnosis/average-precision.js";
import { type CocoInput, evaluateCase } from "../coco/cases.js";
import { matchesOf, randomDataSet } from "./fixtures.js";

describe("curves from matches", () => {
  it("are those of the evaluation to the last bit", async () => {
    const cases = JSON.parse(readFileSync(join(packageRoot, "test/golden/coco.json"), "utf8")) as CocoInput[];
    for (const cocoCase of cases) {
      const evaluation = await evaluateCase(cocoCase);
      const { precision, recall, scores } = accumulateMatches(evaluation.matches);
      assert.deepEqual(precision, ofAllAreas(evaluation, "precision"));
      assert.deepEqual(recall, ofAllAreas(evaluation, "recall"));
      assert.deepEqual(scores, ofAllAreas(evaluation, "scores"));
    }
  });
});

describe("thresholdIndex", () => {
  it("finds a threshold despite its rounding, and names those that there are", async () => {
    const matches = await matchesOf(randomDataSet(1));
    assert.equal(thresholdIndex(matches, 0.9), 8);
    assert.throws(
      () => thresholdIndex(matches, 0.42),
      (error) => error instanceof CasslError && error.reason === "CONFIG_INVALID" && /0\.42.*0\.55/.test(error.message),
    );
  });
});

/** The cells of the area range "all" and the largest of maxDets. */
function ofAllAreas(evaluation: MatchedEvaluation, name: "precision" | "recall" | "scores"): Float64Array {
  const { areaRanges, maxDets }: CocoEvaluation["axes"] = evaluation.axes;
  const a = areaRanges.findIndex((range) => range.name === "all");
  const cells = areaRanges.length * maxDets.length;
  return evaluation[name].filter((_, at) => at % cells === (a + 1) * maxDets.length - 1);
}
