import assert from "node:assert/strict";
import { CasslError } from "../../../../ts/core/errors.js";
import { IGNORED } from "../../../../ts/evaluation/coco/index.js";
import { calibrate } from "../../../../ts/evaluation/diagnosis/index.js";
import { type DataSet, matchesOf, placed, randomDataSet } from "./fixtures.js";

function withScores({ groundTruth, results }: DataSet, scores: readonly number[]): DataSet {
  return { groundTruth, results: results.map((result, row) => ({ ...result, score: scores[row] ?? 0 })) };
}

describe("calibrate", () => {
  // Two right, then two wrong.
  const data = placed("1 cat 0, 1 cat 100", "1 cat 0, 1 cat 100, 1 cat 200, 1 cat 300");

  it("gives the distance of score and precision, by bins", async () => {
    const matches = await matchesOf(withScores(data, [0.9, 0.6, 0.8, 0.2]));
    const { ece, mce, bins } = calibrate(matches, { bins: 2 });
    assert.deepEqual(bins[0], { from: 0, to: 0.5, count: 1, meanScore: 0.2, precision: 0 });
    assert.deepEqual([bins[1]?.count, bins[1]?.precision], [3, 2 / 3]);
    const upper = (0.9 + 0.6 + 0.8) / 3 - 2 / 3;
    assert.ok(Math.abs(ece - (0.2 + 3 * upper) / 4) < 1e-12);
    assert.ok(Math.abs(mce - 0.2) < 1e-12);
  });

  it("is 0 where scores are certain and right", async () => {
    const { ece, mce } = calibrate(await matchesOf(withScores(data, [1, 1, 0, 0])));
    assert.deepEqual([ece, mce], [0, 0]);
  });

  it("puts a score on a border into the lower bin", async () => {
    const { bins } = calibrate(await matchesOf(withScores(data, [0, 0.5, 0.5, 1])), { bins: 2 });
    assert.deepEqual(
      bins.map(({ count }) => count),
      [3, 1],
    );
  });

  it("leaves out scores that are no probabilities, and says how many", async () => {
    const { outOfRange, ece } = calibrate(await matchesOf(withScores(data, [3, -1, 1.5, -0.01])));
    assert.deepEqual([outOfRange, ece], [4, -1]);
  });

  it("counts each detection that is right or wrong once", async () => {
    for (let seed = 0; seed < 10; seed++) {
      const matches = await matchesOf(randomDataSet(seed));
      const counted = matches.detections.outcome
        .subarray(0, matches.detections.row.length)
        .filter((outcome) => outcome !== IGNORED).length;
      const { ece, mce, bins } = calibrate(matches);
      assert.equal(
        bins.reduce((sum, { count }) => sum + count, 0),
        counted,
      );
      assert.ok(ece <= mce && mce <= 1);
    }
  });

  it("refuses to have no bins", async () => {
    const matches = await matchesOf(data);
    assert.throws(
      () => calibrate(matches, { bins: 0 }),
      (error) => error instanceof CasslError && error.reason === "CONFIG_INVALID",
    );
  });
});
