import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { CasslError } from "../../../../ts/core/errors.js";
import { packageRoot } from "../../../../ts/core/package.js";
import { type CocoEvaluation, type CocoMatches, evaluateCoco } from "../../../../ts/evaluation/coco/index.js";
import { averagePrecision, samplePrecisions } from "../../../../ts/evaluation/diagnosis/average-precision.js";
import { countPositives, thresholdIndex } from "../../../../ts/evaluation/diagnosis/matched.js";
import { byDescendingScore } from "../../../../ts/evaluation/diagnosis/ordering.js";
import { type CocoInput, evaluateCase, type SegmInput } from "../coco/cases.js";
import { matchesOf, randomDataSet } from "./fixtures.js";

type Input = CocoInput | SegmInput;

describe("precisions from matches", () => {
  for (const [what, vectors] of [
    ["boxes", "coco.json"],
    ["masks", "coco-segm.json"],
  ] as const) {
    it(`are those of the evaluation of ${what} to the last bit`, async () => {
      const cases = JSON.parse(readFileSync(join(packageRoot, "test/golden", vectors), "utf8")) as Input[];
      for (const input of cases) {
        const { matches, ...evaluation } = await evaluateCase(input);
        assert.deepEqual(precisionsOf(matches), ofAllAreas(evaluation));
      }
    });
  }

  it("have the AP of the evaluation as their mean, to the last bit", async () => {
    for (let seed = 0; seed < 10; seed++) {
      const { groundTruth, results } = randomDataSet(seed);
      const { matches, summary } = await evaluateCoco(groundTruth, results, { matches: true });
      assert.equal(averagePrecision(matches), summary.ap);
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

function precisionsOf(matches: CocoMatches): Float64Array {
  const order = byDescendingScore(matches.detections.score);
  return samplePrecisions({ ...matches.detections, order }, countPositives(matches), matches.axes);
}

/** The precisions of the area range "all" and the largest of maxDets. */
function ofAllAreas({ axes: { areaRanges, maxDets }, precision }: CocoEvaluation): Float64Array {
  const a = areaRanges.findIndex((range) => range.name === "all");
  const cells = areaRanges.length * maxDets.length;
  return precision.filter((_, at) => at % cells === (a + 1) * maxDets.length - 1);
}
