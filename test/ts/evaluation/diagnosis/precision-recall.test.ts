import assert from "node:assert/strict";
import { evaluateCoco } from "../../../../ts/evaluation/coco/index.js";
import { precisionRecallCurves } from "../../../../ts/evaluation/diagnosis/index.js";
import { matchesOf, placed, randomDataSet } from "./fixtures.js";

describe("precisionRecallCurves", () => {
  it("has a point for each detection that is right or wrong", async () => {
    const data = placed("1 cat 0, 1 cat 100, 2 cat 0", "1 cat 0, 1 cat 300, 2 cat 0");
    const [cat] = precisionRecallCurves(await matchesOf(data));
    assert.deepEqual([...(cat?.raw.recall ?? [])], [1 / 3, 1 / 3, 2 / 3]);
    assert.deepEqual([...(cat?.raw.precision ?? [])], [1, 1 / 2, 2 / 3]);
    assert.deepEqual([...(cat?.raw.score ?? [])], [0.9, 0.89, 0.88]);
    assert.equal(cat?.positives, 3);
  });

  it("samples what the AP of the class is the mean of", async () => {
    for (let seed = 0; seed < 10; seed++) {
      const { groundTruth, results } = randomDataSet(seed);
      const { matches, perClass } = await evaluateCoco(groundTruth, results, { matches: true });
      precisionRecallCurves(matches, { iou: 0.75 }).forEach(({ sampled, positives, categoryId }, k) => {
        assert.equal(categoryId, perClass[k]?.categoryId);
        if (positives === 0) return;
        const mean = sampled.precision.reduce((sum, value) => sum + value, 0) / sampled.precision.length;
        assert.ok(Math.abs(mean - (perClass[k]?.ap75 ?? -1)) < 1e-12);
      });
    }
  });

  it("is empty without ground truth, whatever is detected", async () => {
    const curves = precisionRecallCurves(await matchesOf(placed("1 cat 0", "1 owl 0")));
    const { raw, sampled, positives } = curves[2] ?? assert.fail();
    assert.deepEqual([raw.recall.length, sampled.precision.length, sampled.recall.length, positives], [0, 0, 0, 0]);
  });
});
