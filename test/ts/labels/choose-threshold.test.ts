import assert from "node:assert/strict";
import fc from "fast-check";
import { seededRandom } from "../../../ts/core/random.js";
import { chooseThreshold, type ThresholdPolicy } from "../../../ts/labels/choose-threshold.js";
import { thresholdPoints } from "../../../ts/labels/threshold-curve.js";
import { type Judged, judge, judgedDetections } from "./judged.js";

const auto: ThresholdPolicy = { policy: "auto", beta: 1 };

/** A model whose scores are true: `images` images with three objects each. */
function honestModel(images: number, seed: number) {
  const random = seededRandom(seed);
  const detections = Array.from({ length: images * 10 }, (_, row): Judged => {
    const score = random();
    return [score, random() < score, Math.floor(row / 10)];
  });
  return judge(
    detections,
    Array.from({ length: images }, () => 6),
  );
}

describe("the score threshold", () => {
  const judged = judge(
    [
      [0.9, true, 0],
      [0.8, true, 1],
      [0.7, false, 0],
      [0.6, true, 1],
      [0.3, false, 0],
      [0.2, true, 0],
      [0.1, false, 1],
    ],
    [2, 3],
  );
  /** The lowest score that is kept. */
  const chosen = (policy: ThresholdPolicy) => {
    const { score_threshold } = chooseThreshold(judged, policy, 0);
    return judged.score.findLast((score) => score >= score_threshold);
  };

  it("is where F-beta is highest", () => {
    assert.equal(chosen({ policy: "auto", beta: 1 }), 0.2);
    assert.equal(chosen({ policy: "auto", beta: 0.5 }), 0.8);
    assert.equal(chosen({ policy: "auto", beta: 0.1 }), 0.8);
  });

  it("is where there are as many boxes as objects", () => {
    assert.equal(chosen({ policy: "boxes_per_image", ratio: 1 }), 0.3);
    assert.equal(chosen({ policy: "boxes_per_image", ratio: 0.5 }), 0.8);
    assert.equal(chosen({ policy: "boxes_per_image", ratio: 9 }), 0.1);
  });

  it("is the lowest score of a precision, or the one of the highest if none has it", () => {
    assert.equal(chosen({ policy: "precision", precision: 0.75 }), 0.6);
    assert.equal(chosen({ policy: "precision", precision: 0.1 }), 0.1);
    const wrong = judge(
      [
        [0.9, false, 0],
        [0.8, true, 0],
        [0.7, false, 0],
      ],
      [3],
    );
    const missed = chooseThreshold(wrong, { policy: "precision", precision: 0.9 }, 0);
    assert.equal(missed.score_threshold, 0.75);
    assert.match(missed.warnings.join(), /No threshold has the precision 0\.9; the highest is 0\.50/);
  });

  it("is a fixed score, with what it gives", () => {
    const { score_threshold, precision, recall, boxes_per_image, interval } = chooseThreshold(
      judged,
      { policy: "fixed", score: 0.65 },
      0,
    );
    assert.deepEqual([score_threshold, precision, recall, boxes_per_image], [0.65, 2 / 3, 2 / 5, 1.5]);
    assert.deepEqual(interval.score_threshold, [0.65, 0.65]);
  });

  it("is no worse in F-beta than any other, and the highest of equals", () => {
    fc.assert(
      fc.property(judgedDetections, (detections) => {
        if (detections.objectsPerImage.every((count) => count === 0)) return;
        const { score_threshold, f_beta } = chooseThreshold(detections, auto, 0);
        for (const point of thresholdPoints(detections, 1)) {
          assert.ok(point.f_beta <= f_beta);
          if (point.f_beta === f_beta)
            assert.ok((detections.score.findLast((score) => score >= score_threshold) as number) >= point.score);
        }
      }),
      { numRuns: 30 },
    );
  });

  it("is the same whatever the order of images, and for the same seed", () => {
    const [one, other] = [honestModel(8, 1), honestModel(8, 1)];
    assert.deepEqual(chooseThreshold(one, auto, 5), chooseThreshold(other, auto, 5));
    const turned = {
      ...one,
      image: one.image.map((image) => 7 - image),
      objectsPerImage: one.objectsPerImage.toReversed(),
    };
    assert.equal(chooseThreshold(turned, auto, 5).score_threshold, chooseThreshold(one, auto, 5).score_threshold);
  });

  it("has an interval that holds the truth about as often as it says, and narrows with more images", () => {
    const truth = chooseThreshold(honestModel(2000, 0), { policy: "fixed", score: 0.5 }, 0).precision;
    const intervals = Array.from({ length: 30 }, (_, seed) => {
      return chooseThreshold(honestModel(25, seed + 1), { policy: "fixed", score: 0.5 }, seed).interval.precision;
    });
    const holding = intervals.filter(([lower, upper]) => lower <= truth && truth <= upper).length;
    assert.ok(holding >= 25, `${holding} of 30 intervals hold the precision`);
    const width = (images: number) => {
      const [lower, upper] = chooseThreshold(honestModel(images, 3), auto, 0).interval.precision;
      return upper - lower;
    };
    assert.ok(width(100) < width(6) / 2);
  });

  it("warns where little is held out", () => {
    assert.match(chooseThreshold(judged, auto, 0).warnings.join(), /5 objects in 2 held-out images are few/);
    assert.deepEqual(chooseThreshold(honestModel(6, 0), auto, 0).warnings, []);
  });

  it("refuses to be chosen on nothing, but is fixed on nothing to find", () => {
    const nothing = judge([], []);
    const empty = judge([[0.5, false, 0]], [0]);
    assert.throws(() => chooseThreshold(nothing, auto, 0), { reason: "DATASET_EMPTY", remedy: /held_out/ });
    assert.throws(() => chooseThreshold(empty, auto, 0), { reason: "DATASET_EMPTY" });
    assert.equal(chooseThreshold(empty, { policy: "fixed", score: 0.3 }, 0).precision, 0);
  });

  it("is midway to the next lower score, between which the images tell no difference", () => {
    assert.equal(chooseThreshold(judged, { policy: "auto", beta: 0.5 }, 0).score_threshold, 0.75);
  });

  it("keeps next to nothing of a model that finds nothing", () => {
    const blind = judge(
      [
        [0.5, false, 0],
        [0.4, false, 0],
      ],
      [3],
    );
    const choice = chooseThreshold(blind, auto, 0);
    assert.deepEqual([choice.score_threshold, choice.recall], [0.45, 0]);
    assert.equal(chooseThreshold(judge([], [3]), auto, 0).score_threshold, 1);
  });
});
