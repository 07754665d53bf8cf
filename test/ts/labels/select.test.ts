import assert from "node:assert/strict";
import fc from "fast-check";
import { toXyxy } from "../../../ts/core/boxes.js";
import type { Annotation } from "../../../ts/core/dataset.js";
import { selectFromImage } from "../../../ts/labels/select.js";
import { encodeCounts, fromBox } from "../../../ts/masks/index.js";
import type { Prediction } from "./fixtures.js";

const size = { width_px: 100, height_px: 80 };
const policy = { score_threshold: 0.5, nms_iou: 0.5, max_per_image: 3, min_side_px: 2 };

const select = (predictions: readonly Prediction[], rules = policy) =>
  selectFromImage(
    {
      boxXyxy: Float32Array.from(predictions.flatMap(({ box }) => box)),
      score: Float32Array.from(predictions, ({ score }) => score),
      classIndex: Int32Array.from(predictions, ({ classIndex }) => classIndex),
    },
    size,
    rules,
  );
const p = (x: number, y: number, width: number, height: number, score: number, classIndex = 0): Prediction => ({
  box: [x, y, x + width, y + height],
  score,
  classIndex,
});
const toPrediction = ({ box_xywh, score = 0, class_index }: Annotation): Prediction => ({
  box: toXyxy(box_xywh),
  score,
  classIndex: class_index,
});

describe("selecting the pseudo labels of an image", () => {
  it("makes annotations of what is left, best first", () => {
    const { annotations } = select([p(10, 10, 20, 30, 0.5), p(50, 10, 20, 30, 0.75)]);
    assert.deepEqual(annotations, [
      { box_xywh: [50, 10, 20, 30], class_index: 0, area: 600, iscrowd: false, score: 0.75 },
      { box_xywh: [10, 10, 20, 30], class_index: 0, area: 600, iscrowd: false, score: 0.5 },
    ]);
  });

  it("takes masks along, and suppresses by them if the policy says so", () => {
    const masks = [fromBox([10, 10, 10, 30], 100, 80), fromBox([20, 10, 10, 30], 100, 80)];
    const counts = masks.map((mask) => encodeCounts(mask.counts));
    const predictions = {
      boxXyxy: Float32Array.of(10, 10, 30, 40, 10, 10, 30, 40),
      score: Float32Array.of(0.5, 0.75),
      classIndex: Int32Array.of(0, 0),
      masks: counts,
    };
    const kept = selectFromImage(predictions, size, policy).annotations;
    assert.deepEqual(
      kept.map(({ mask }) => mask),
      [counts[1]],
    );
    const byMasks = selectFromImage(predictions, size, { ...policy, nms_of: "masks" }).annotations;
    assert.deepEqual(
      byMasks.map(({ mask }) => mask),
      [counts[1], counts[0]],
    );
  });

  it("clips to the image before it measures the sides", () => {
    const { annotations, dropped } = select([
      p(-5, 70, 20, 30, 0.75),
      p(99, 10, 20, 20, 0.75),
      p(200, 10, 20, 20, 0.75),
    ]);
    assert.deepEqual(
      annotations.map(({ box_xywh, area }) => [box_xywh, area]),
      [[[0, 70, 15, 10], 150]],
    );
    assert.equal(dropped.min_side, 2);
  });

  it("leaves no box of no area, even where the minimum side is 0", () => {
    assert.equal(select([p(10, 10, 0, 30, 0.75)], { ...policy, min_side_px: 0 }).dropped.min_side, 1);
  });

  it("suppresses within a class only", () => {
    const same = select([p(10, 10, 20, 20, 0.75), p(11, 10, 20, 20, 0.5)]);
    const other = select([p(10, 10, 20, 20, 0.75), p(11, 10, 20, 20, 0.5, 1)]);
    assert.deepEqual([same.annotations.length, same.dropped.nms], [1, 1]);
    assert.deepEqual(
      other.annotations.map(({ class_index }) => class_index),
      [0, 1],
    );
  });

  it("counts a prediction by the first rule that it breaks", () => {
    const far = [0, 1, 2, 3].map((column) => p(25 * column, 40, 20, 20, 0.75));
    const { annotations, dropped } = select([p(0, 0, 1, 1, 0.25), p(0, 0, 1, 1, 0.75), ...far, p(1, 40, 20, 20, 0.5)]);
    assert.equal(annotations.length, 3);
    assert.deepEqual(dropped, { score: 1, min_side: 1, nms: 1, max_per_image: 1 });
  });

  const eighths = (max: number) => fc.nat(8 * max).map((value) => value / 8);
  const prediction = fc.record({
    box: fc
      .tuple(eighths(110), eighths(90), eighths(60), eighths(60))
      .map(([x, y, width, height]): Prediction["box"] => [x, y, x + width, y + height]),
    score: fc.nat(64).map((part) => part / 64),
    classIndex: fc.nat(1),
  });
  const predictions = fc.array(prediction, { maxLength: 25 });
  const distinct = fc.uniqueArray(prediction, { maxLength: 25, selector: ({ score }) => score });
  const rules = fc.record({
    score_threshold: fc.nat(8).map((part) => part / 8),
    nms_iou: fc.nat(8).map((part) => part / 8),
    max_per_image: fc.integer({ min: 1, max: 10 }),
    min_side_px: fc.nat(10),
  });

  it("is in order of score, within its rules, and accounts for every prediction", () => {
    fc.assert(
      fc.property(predictions, rules, (given, rule) => {
        const { annotations, dropped } = select(given, rule);
        const scores = annotations.map(({ score }) => score);
        assert.deepEqual(
          scores,
          [...scores].sort((a, b) => b - a),
        );
        assert.ok(annotations.length <= rule.max_per_image && scores.every((score) => score >= rule.score_threshold));
        for (const {
          box_xywh: [x, y, width, height],
        } of annotations) {
          assert.ok(
            x >= 0 && y >= 0 && x + width <= 100 && y + height <= 80 && Math.min(width, height) >= rule.min_side_px,
          );
        }
        assert.equal(
          annotations.length + dropped.score + dropped.min_side + dropped.nms + dropped.max_per_image,
          given.length,
        );
      }),
    );
  });

  it("changes nothing when it is applied again", () => {
    fc.assert(
      fc.property(predictions, rules, (given, rule) => {
        const { annotations } = select(given, rule);
        assert.deepEqual(select(annotations.map(toPrediction), rule).annotations, annotations);
      }),
    );
  });

  it("is the same for any order of predictions of different scores", () => {
    const shuffledPair = distinct.chain((given) =>
      fc.tuple(fc.constant(given), fc.shuffledSubarray(given, { minLength: given.length })),
    );
    fc.assert(
      fc.property(shuffledPair, rules, ([given, reordered], rule) =>
        assert.deepEqual(select(reordered, rule), select(given, rule)),
      ),
    );
  });
});
