import assert from "node:assert/strict";
import { type CocoMatches, FALSE_POSITIVE, TRUE_POSITIVE } from "../../../../ts/evaluation/coco/index.js";
import { bestThresholds } from "../../../../ts/evaluation/diagnosis/index.js";
import { matchesOf, placed, randomDataSet } from "./fixtures.js";

describe("bestThresholds", () => {
  it("keeps what is right above what is wrong", async () => {
    const data = placed("1 cat 0, 1 cat 100", "1 cat 0, 1 cat 100, 1 cat 300, 2 dog 0");
    const { overall, perClass } = bestThresholds(await matchesOf(data));
    assert.deepEqual(overall, { threshold: 0.89, f1: 1, precision: 1, recall: 1 });
    assert.deepEqual(perClass[0], { categoryId: 1, name: "cat", threshold: 0.89, f1: 1, precision: 1, recall: 1 });
  });

  it("has no threshold where nothing is found, and no F1 without ground truth", async () => {
    const { perClass } = bestThresholds(await matchesOf(placed("1 cat 0", "1 cat 300, 1 owl 0")));
    assert.deepEqual(
      perClass.map(({ threshold, f1 }) => [threshold, f1]),
      [
        [null, 0],
        [null, -1],
        [null, -1],
      ],
    );
  });

  it("takes equal scores together", async () => {
    const { groundTruth, results } = placed("1 cat 0", "1 cat 0, 1 cat 300");
    const equal = results.map((result) => ({ ...result, score: 0.5 }));
    const { overall } = bestThresholds(await matchesOf({ groundTruth, results: equal }));
    assert.deepEqual(overall, { threshold: 0.5, f1: 2 / 3, precision: 0.5, recall: 1 });
  });

  it("is never beaten by another score", async () => {
    for (let seed = 0; seed < 10; seed++) {
      const matches = await matchesOf(randomDataSet(seed));
      const tried = [...matches.detections.score].map((threshold) => f1At(matches, threshold));
      assert.ok(Math.abs(bestThresholds(matches).overall.f1 - Math.max(0, ...tried)) < 1e-12);
    }
  });
});

/** At IoU 0.5, counted anew. */
function f1At({ detections, groundTruth }: CocoMatches, threshold: number): number {
  const kept = [...detections.score.keys()].filter((row) => (detections.score[row] ?? 0) >= threshold);
  const right = kept.filter((row) => detections.outcome[row] === TRUE_POSITIVE).length;
  const wrong = kept.filter((row) => detections.outcome[row] === FALSE_POSITIVE).length;
  const positives = groundTruth.ignored.filter((ignored) => ignored === 0).length;
  const [precision, recall] = [right / (right + wrong), right / positives];
  return right === 0 ? 0 : 2 / (1 / precision + 1 / recall);
}
