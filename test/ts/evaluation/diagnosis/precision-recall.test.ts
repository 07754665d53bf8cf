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

  it("says at which score a recall is reached, and 0 beyond the last", async () => {
    const data = placed("1 cat 0, 1 cat 100, 2 cat 0", "1 cat 300, 1 cat 0, 2 cat 0");
    const { sampled } = precisionRecallCurves(await matchesOf(data))[0] ?? assert.fail();
    assert.deepEqual(
      [0, 1, 33, 34, 66, 67, 100].map((r) => sampled.score[r]),
      [0.9, 0.89, 0.89, 0.88, 0.88, 0, 0],
    );
    assert.deepEqual(
      [0, 66, 67].map((r) => Number(sampled.precision[r]?.toFixed(6))),
      [0.666667, 0.666667, 0],
    );
  });

  it("has the scores of the evaluation", async () => {
    const { groundTruth, results } = randomDataSet(6);
    const { matches, scores, axes } = await evaluateCoco(groundTruth, results, { matches: true, maxDets: [100] });
    const classes = axes.categoryIds.length;
    const [cat] = precisionRecallCurves(matches);
    const cells = classes * axes.areaRanges.length;
    assert.deepEqual(cat?.sampled.score, scores.filter((_, at) => at % cells === 0).slice(0, 101));
  });

  it("is empty without ground truth, whatever is detected", async () => {
    const curves = precisionRecallCurves(await matchesOf(placed("1 cat 0", "1 owl 0")));
    const { raw, sampled, positives } = curves[2] ?? assert.fail();
    assert.deepEqual([raw.recall.length, sampled.precision.length, sampled.recall.length, positives], [0, 0, 0, 0]);
  });
});
