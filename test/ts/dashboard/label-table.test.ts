import assert from "node:assert/strict";
import {
  boxAt,
  countKept,
  countOutcomes,
  estimateAt,
  keptOf,
  matchImage,
  outcomeOf,
  scoreHistogram,
} from "../../../ts/dashboard/view/label-table.js";
import { evaluateCoco, TRUE_POSITIVE } from "../../../ts/evaluation/coco/index.js";
import { outcomesAt, thresholdIndex } from "../../../ts/evaluation/diagnosis/matched.js";
import { exampleImages, select, tableOf } from "./predicted-images.js";

describe("label table", () => {
  it("keeps at any threshold what the run would select", () => {
    for (const seed of [1, 2, 3]) {
      const images = exampleImages(seed);
      const table = tableOf(images);
      for (const threshold of [0, 0.1, 0.48, 0.9, 1]) {
        const wanted = images.map((image) => select(image, threshold));
        const kept = images.map((_, image) => keptOf(table, image, threshold));
        assert.deepEqual(
          kept,
          wanted.map(({ length }) => length),
        );
        const first = images.findIndex((_, image) => (kept[image] as number) > 0);
        if (first >= 0) {
          const best = wanted[first]?.[0]?.box_xywh.map(Math.fround);
          assert.deepEqual(boxAt(table, table.starts[first] as number), best);
        }
        const { boxes, emptyImages } = countKept(table, threshold);
        assert.equal(boxes, wanted.flat().length);
        assert.equal(emptyImages, kept.filter((count) => count === 0).length);
      }
    }
  });

  it("matches as the COCO metric does", async () => {
    const images = exampleImages(4);
    const table = tableOf(images);
    const groundTruth = {
      images: images.map((_, index) => ({ id: index + 1 })),
      categories: [{ id: 1, name: "object" }],
      annotations: images.flatMap(({ truth }, index) =>
        truth.map((bbox, object) => ({
          id: 100 * index + object + 1,
          image_id: index + 1,
          category_id: 1,
          bbox,
          area: bbox[2] * bbox[3],
          iscrowd: 0,
        })),
      ),
    };
    const results = images.flatMap((image, index) =>
      select(image, 0).map(({ box_xywh, score }) => ({ image_id: index + 1, category_id: 1, bbox: box_xywh, score })),
    );
    const { matches } = await evaluateCoco(groundTruth, results, { matches: true });
    const right = outcomesAt(matches, thresholdIndex(matches, 0.5)).filter(
      (outcome) => outcome === TRUE_POSITIVE,
    ).length;
    const outcomes = images.map((_, image) => outcomeOf(matchImage(table, image)!, keptOf(table, image, 0)));
    assert.ok(right > 5);
    assert.equal(
      outcomes.reduce((sum, outcome) => sum + outcome.right, 0),
      right,
    );
    for (const [image, { right, missed }] of outcomes.entries())
      assert.equal(right + missed, images[image]?.truth.length);
  });

  it("sums up the images whose objects are known", () => {
    const table = tableOf(exampleImages(7));
    const matches = table.files.map((_, image) => (image < 5 ? matchImage(table, image) : undefined));
    const known = matches.slice(0, 5).map((match, image) => outcomeOf(match!, keptOf(table, image, 0.2)));
    const total = (name: keyof (typeof known)[number]): number =>
      known.reduce((sum, outcome) => sum + outcome[name], 0);
    const wanted = { right: total("right"), wrong: total("wrong"), missed: total("missed") };
    assert.ok(wanted.right > 0);
    assert.deepEqual(countOutcomes({ table, matches }, 0.2), wanted);
  });

  it("counts every box once in the histogram, and estimates by the lowest score that is kept", () => {
    const table = tableOf(exampleImages(6));
    assert.equal(
      scoreHistogram(table, 20).reduce((sum, count) => sum + count, 0),
      countKept(table, 0).boxes,
    );
    const curve = [{ score: 0.9 }, { score: 0.5 }, { score: 0.1 }];
    assert.deepEqual(
      [0.95, 0.9, 0.4, 0].map((score) => estimateAt(curve, score)?.score),
      [undefined, 0.9, 0.5, 0.1],
    );
  });
});
