import assert from "node:assert/strict";
import { CasslError } from "../../../../ts/core/errors.js";
import { seededRandom } from "../../../../ts/core/random.js";
import { evaluateCoco } from "../../../../ts/evaluation/coco/index.js";
import { averagePrecision } from "../../../../ts/evaluation/diagnosis/average-precision.js";
import { compareModels, pairedDifference, resampleAp } from "../../../../ts/evaluation/diagnosis/index.js";
import {
  compactMatches,
  weightedAveragePrecision,
} from "../../../../ts/evaluation/diagnosis/weighted-average-precision.js";
import { type DataSet, matchesOf, placed, randomDataSet } from "./fixtures.js";

const first = randomDataSet(5, 12);
/** Another model on the same images: it moves some of the boxes far away. */
const second: DataSet = {
  ...first,
  results: first.results.map((result, row) => (row % 3 === 0 ? { ...result, bbox: [900, 900, 9, 9] } : result)),
};

describe("compareModels", () => {
  it("finds no difference between a model and itself", async () => {
    const matches = await matchesOf(first);
    const { difference, lower, upper, firstBetter } = compareModels(matches, matches, { resamples: 50 });
    assert.deepEqual([difference, lower, upper, firstBetter], [0, 0, 0, 0]);
  });

  it("gives the APs of the evaluations", async () => {
    const { firstAp, secondAp } = compareModels(await matchesOf(first), await matchesOf(second), { resamples: 1 });
    for (const [ap, { groundTruth, results }] of [
      [firstAp, first],
      [secondAp, second],
    ] as const) {
      assert.equal(ap, (await evaluateCoco(groundTruth, results)).summary.ap);
    }
  });

  it("gives the same interval for the same seed, and another one for another", async () => {
    const matches = [await matchesOf(first), await matchesOf(second)] as const;
    const one = compareModels(...matches, { seed: 3, resamples: 40 });
    assert.deepEqual(compareModels(...matches, { seed: 3, resamples: 40 }), one);
    assert.notEqual(compareModels(...matches, { seed: 4, resamples: 40 }).lower, one.lower);
  });

  it("turns around with its models", async () => {
    const [a, b] = [await matchesOf(first), await matchesOf(second)];
    const [one, other] = [compareModels(a, b, { resamples: 40 }), compareModels(b, a, { resamples: 40 })];
    assert.ok(one.firstBetter > 0.9 && one.lower > 0);
    assert.ok(Math.abs(one.lower + other.upper) < 1e-12 && Math.abs(one.difference + other.difference) < 1e-12);
  });

  it("has the interval that evaluating each sample anew has", async () => {
    const random = seededRandom(9);
    const images = first.groundTruth.images.length;
    const differences: number[] = [];
    for (let sample = 0; sample < 21; sample++) {
      const drawn = Array.from({ length: images }, () => Math.floor(random() * images));
      const weights = Array.from({ length: images }, (_, i) => drawn.filter((image) => image === i).length);
      differences.push((await apOfCopies(first, weights)) - (await apOfCopies(second, weights)));
    }
    differences.sort((a, b) => a - b);
    const options = { seed: 9, resamples: 21, confidence: 0.9 };
    const { lower, upper } = compareModels(await matchesOf(first), await matchesOf(second), options);
    assert.ok(Math.abs(lower - (differences[1] ?? NaN)) < 1e-12);
    assert.ok(Math.abs(upper - (differences[19] ?? NaN)) < 1e-12);
  });

  it("refuses models of different images or thresholds, and options without meaning", async () => {
    const matches = await matchesOf(first);
    const refuses = (compare: () => unknown, message: RegExp): void =>
      assert.throws(
        compare,
        (error) => error instanceof CasslError && error.reason === "CONFIG_INVALID" && message.test(error.message),
      );
    const [fewer, looser] = [
      await matchesOf(placed("1 cat 0", "1 cat 0")),
      await matchesOf(first, { iouThresholds: [0.5] }),
    ];
    refuses(() => compareModels(matches, fewer), /different images: 12 and 2/);
    refuses(() => compareModels(matches, looser), /IoU thresholds/);
    refuses(() => compareModels(matches, matches, { resamples: 0 }), /resamples is 0/);
    refuses(() => compareModels(matches, matches, { confidence: 1 }), /confidence is 1/);
  });
});

describe("weightedAveragePrecision", () => {
  it("is the AP of the evaluation where each image counts once", async () => {
    const matches = await matchesOf(first);
    const ap = weightedAveragePrecision(compactMatches(matches), new Int32Array(matches.imageIds.length).fill(1));
    assert.ok(Math.abs(ap - averagePrecision(matches)) < 1e-12);
  });

  it("is the AP of a data set with copies of its images", async () => {
    const random = seededRandom(1);
    for (let seed = 0; seed < 10; seed++) {
      const data = randomDataSet(seed);
      const weights = data.groundTruth.images.map(() => Math.floor(random() * 4));
      const ap = weightedAveragePrecision(compactMatches(await matchesOf(data)), Int32Array.from(weights));
      assert.ok(Math.abs(ap - (await apOfCopies(data, weights))) < 1e-12);
    }
  });

  it("is -1 where no image with ground truth is left", async () => {
    const compact = compactMatches(await matchesOf(placed("1 cat 0", "1 cat 0, 2 cat 0")));
    assert.equal(weightedAveragePrecision(compact, Int32Array.of(0, 5)), -1);
    assert.ok(weightedAveragePrecision(compact, Int32Array.of(2, 0)) > 0.99);
  });
});

/** Evaluates a data set that has each image as often as `weights` says. */
async function apOfCopies({ groundTruth, results }: DataSet, weights: readonly number[]): Promise<number> {
  const copies = groundTruth.images.flatMap(({ id }, i) =>
    Array.from({ length: weights[i] ?? 0 }, (_, copy) => ({ of: id, id: 1000 * id + copy })),
  );
  const annotations = copies.flatMap(({ of, id }) =>
    groundTruth.annotations.filter((a) => a.image_id === of).map((a) => ({ ...a, image_id: id })),
  );
  const copied = copies.flatMap(({ of, id }) =>
    results.filter((result) => result.image_id === of).map((result) => ({ ...result, image_id: id })),
  );
  const { summary } = await evaluateCoco(
    {
      ...groundTruth,
      images: copies,
      annotations: annotations.map((annotation, row) => ({ ...annotation, id: row + 1 })),
    },
    copied,
  );
  return summary.ap;
}

describe("pairedDifference", () => {
  const options = { resamples: 60, seed: 3 };

  it("is that of the models for one pair", async () => {
    const [a, b] = [await matchesOf(first), await matchesOf(second)];
    const { lower, upper, difference } = compareModels(a, b, options);
    const found = pairedDifference([resampleAp(a, options)], [resampleAp(b, options)], options);
    assert.deepEqual([found.lower, found.upper, found.perPair], [lower, upper, [difference]]);
  });

  it("spans the pairs' differences where the images make none", () => {
    const constant = (ap: number) => ({ ap, samples: new Float64Array(400).fill(ap) });
    const found = pairedDifference([0.5, 0.6, 0.7].map(constant), [0.5, 0.5, 0.5].map(constant));
    assert.ok(Math.abs(found.difference - 0.1) < 1e-12);
    assert.ok(Math.abs(found.lower) < 0.04 && Math.abs(found.upper - 0.2) < 0.04);
  });

  it("refuses models without a partner, none at all, and samples of different numbers", () => {
    const model = (samples: number) => ({ ap: 0, samples: new Float64Array(samples) });
    for (const [one, other] of [
      [[model(5)], []],
      [[], []],
      [[model(5)], [model(6)]],
    ] as const) {
      assert.throws(
        () => pairedDifference(one, other),
        (error) => error instanceof CasslError && error.reason === "CONFIG_INVALID",
      );
    }
  });
});
