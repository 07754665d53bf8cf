import assert from "node:assert/strict";
import fc from "fast-check";
import { nms } from "../../../ts/core/nms.js";
import { boxPairIou } from "../../../ts/core/pair-iou.js";
import { matrixNms, softNms } from "../../../ts/labels/soft-nms.js";
import { goldenCases, toColumns } from "./golden-labels.js";
import { assertNear } from "./near.js";
import { columnsOf, scoredBoxes } from "./random-boxes.js";

describe("soft-NMS", () => {
  goldenCases("soft_nms").forEach((golden, index) => {
    it(`is that of the paper's pseudocode, case ${index}`, () => {
      const { boxXyxy, score, classIndex } = toColumns(golden);
      const found = softNms(boxPairIou(boxXyxy), score, classIndex, golden.decay, golden.score_threshold);
      assert.deepEqual(found.kept, golden.expected.kept);
      assertNear(found.scores, golden.expected.scores, 1e-12);
    });
  });

  it("keeps all boxes at the threshold 0, by descending score, none above its own", () => {
    fc.assert(
      fc.property(scoredBoxes, (boxes) => {
        const { boxXyxy, score, classIndex } = columnsOf(boxes);
        const { kept, scores } = softNms(boxPairIou(boxXyxy), score, classIndex, { kind: "gaussian", sigma: 0.5 }, 0);
        assert.deepEqual(
          [...kept].sort((a, b) => a - b),
          [...score.keys()],
        );
        kept.forEach((box, place) => {
          assert.ok((scores[place] as number) <= (score[box] as number));
          assert.ok(place === 0 || (scores[place] as number) <= (scores[place - 1] as number));
        });
      }),
    );
  });

  it("takes the lower index of equal scores, and lowers the copy to nothing", () => {
    const twice = boxPairIou(new Float64Array([0, 0, 8, 8, 0, 0, 8, 8]));
    const found = softNms(twice, new Float64Array([0.5, 0.5]), undefined, { kind: "linear", iouThreshold: 0.5 }, 0);
    assert.deepEqual(
      [found.kept, [...found.scores]],
      [
        [0, 1],
        [0.5, 0],
      ],
    );
  });
});

describe("matrix NMS", () => {
  goldenCases("matrix_nms").forEach((golden, index) => {
    it(`is that of the paper's matrices, case ${index}`, () => {
      const { boxXyxy, score, classIndex } = toColumns(golden);
      assertNear(matrixNms(boxPairIou(boxXyxy), score, classIndex, golden.kernel), golden.expected, 1e-12);
    });
  });

  it("lowers nothing that keeps apart, and leaves the best as it is", () => {
    fc.assert(
      fc.property(scoredBoxes, (boxes) => {
        const { boxXyxy, score } = columnsOf(boxes);
        const decayed = matrixNms(boxPairIou(boxXyxy), score, undefined, { kind: "linear" });
        const [best] = nms(boxXyxy, score, undefined, 0);
        if (best !== undefined) assert.equal(decayed[best], score[best]);
        decayed.forEach((value, box) => assert.ok(value >= 0 && value <= (score[box] as number)));
      }),
    );
  });

  it("finds no copy innocent because it has two originals", () => {
    const thrice = boxPairIou(new Float64Array([0, 0, 8, 8, 0, 0, 8, 8, 0, 0, 8, 8]));
    const scores = new Float64Array([0.9, 0.8, 0.7]);
    assert.deepEqual([...matrixNms(thrice, scores, undefined, { kind: "linear" })], [0.9, 0, 0]);
  });
});
