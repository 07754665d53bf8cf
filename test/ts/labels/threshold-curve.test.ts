import assert from "node:assert/strict";
import fc from "fast-check";
import { pointAt, thinPoints, thresholdPoints } from "../../../ts/labels/threshold-curve.js";
import { judge, judgedDetections } from "./judged.js";

describe("the curve over score thresholds", () => {
  it("counts what each threshold keeps and finds", () => {
    const judged = judge(
      [
        [0.9, true, 0],
        [0.8, false, 0],
        [0.8, true, 1],
        [0.1, false, 1],
      ],
      [1, 3],
    );
    assert.deepEqual(thresholdPoints(judged, 1), [
      { score: 0.9, kept: 1, found: 1, precision: 1, recall: 0.25, f_beta: 0.4 },
      { score: 0.8, kept: 3, found: 2, precision: 2 / 3, recall: 0.5, f_beta: 4 / 7 },
      { score: 0.1, kept: 4, found: 2, precision: 0.5, recall: 0.5, f_beta: 0.5 },
    ]);
  });

  it("is what filtering the detections at each threshold gives", () => {
    const beta = fc.constantFrom(0.5, 1, 2);
    fc.assert(
      fc.property(judgedDetections, beta, (judged, weight) => {
        const objects = judged.objectsPerImage.reduce((sum, count) => sum + count, 0);
        for (const point of thresholdPoints(judged, weight)) {
          const kept = judged.score.filter((score) => score >= point.score).length;
          const found = judged.isRight.filter(
            (right, row) => right === 1 && (judged.score[row] as number) >= point.score,
          ).length;
          const [precision, recall] = [found / kept, objects === 0 ? 0 : found / objects];
          const mean = ((1 + weight ** 2) * precision * recall) / (weight ** 2 * precision + recall);
          assert.deepEqual([point.kept, point.found, point.precision, point.recall], [kept, found, precision, recall]);
          if (found > 0) assert.ok(Math.abs(point.f_beta - mean) < 1e-12);
        }
      }),
    );
  });

  it("counts an image as often as it was drawn", () => {
    fc.assert(
      fc.property(judgedDetections, fc.array(fc.nat(2), { minLength: 4, maxLength: 4 }), (judged, drawn) => {
        const images = drawn.flatMap((count, image) => Array.from({ length: count }, () => image));
        const copied = judge(
          [...judged.score].flatMap((score, row) =>
            images
              .filter((image) => image === judged.image[row])
              .map((image) => [score, judged.isRight[row] === 1, image] as const),
          ),
          images.map((image) => judged.objectsPerImage[image] as number),
        );
        assert.deepEqual(thresholdPoints(judged, 1, Int32Array.from(drawn)), thresholdPoints(copied, 1));
      }),
    );
  });

  it("tells what a threshold between its points gives", () => {
    const points = thresholdPoints(
      judge(
        [
          [0.9, true, 0],
          [0.5, false, 0],
        ],
        [2],
      ),
      1,
    );
    const known = { objects: 2, beta: 1 };
    assert.deepEqual(pointAt(points, 0.6, known), { ...points[0], score: 0.6 });
    assert.deepEqual(pointAt(points, 0.5, known), points[1]);
    assert.deepEqual(pointAt(points, 0.95, known), {
      score: 0.95,
      kept: 0,
      found: 0,
      precision: 1,
      recall: 0,
      f_beta: 0,
    });
  });

  it("is thinned to a number of points with both ends", () => {
    const points = thresholdPoints(
      judge(
        Array.from({ length: 50 }, (_, row) => [1 - row / 50, true, 0] as const),
        [50],
      ),
      1,
    );
    const thin = thinPoints(points, 7);
    assert.equal(thin.length, 7);
    assert.deepEqual([thin[0], thin.at(-1)], [points[0], points.at(-1)]);
    assert.deepEqual(thinPoints(points, 50), points);
  });
});
