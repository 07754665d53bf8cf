import assert from "node:assert/strict";
import { seededRandom } from "../../../ts/core/random.js";
import {
  boxAt,
  countKept,
  estimateAt,
  keptOf,
  labelTable,
  matchImage,
  outcomeOf,
  scoreHistogram,
  sortImages,
} from "../../../ts/dashboard/view/label-table.js";
import { evaluateCoco, TRUE_POSITIVE } from "../../../ts/evaluation/coco/index.js";
import { outcomesAt, thresholdIndex } from "../../../ts/evaluation/diagnosis/matched.js";
import { selectFromImage } from "../../../ts/labels/select.js";

const SIDE = 100;
const IMAGES = 20;

/** Random predictions of some images, and objects that some of them find. */
function example(seed: number) {
  const random = seededRandom(seed);
  const box = () => {
    const [x, y] = [70 * random(), 70 * random()];
    return [x, y, 10 + 20 * random(), 10 + 20 * random()] as const;
  };
  return Array.from({ length: IMAGES }, () => {
    const truth = Array.from({ length: Math.floor(4 * random()) }, box);
    const near = truth.flatMap(([x, y, w, h]) => [0, 3, 6].map((shift) => [x + shift * random(), y, w, h] as const));
    const boxes = [...near, ...Array.from({ length: 5 }, box)];
    return { truth, boxes, score: Float32Array.from(boxes, () => Math.round(50 * random()) / 50) };
  });
}

const select = (image: ReturnType<typeof example>[number], score_threshold: number) =>
  selectFromImage(
    {
      boxXyxy: Float32Array.from(image.boxes.flatMap(([x, y, w, h]) => [x, y, x + w, y + h])),
      score: image.score,
      classIndex: new Int32Array(image.score.length),
    },
    { width_px: SIDE, height_px: SIDE },
    { score_threshold, nms_iou: 0.5, max_per_image: 6, min_side_px: 2 },
  ).annotations;

function tableOf(images: ReturnType<typeof example>) {
  const selected = images.map((image) => select(image, 0));
  const files = images.map(({ truth }, index) => ({
    name: String(index),
    width_px: SIDE,
    height_px: SIDE,
    boxes: selected[index]?.length ?? 0,
    truth: truth.flatMap((box) => [...box, 0]),
  }));
  const numbers = selected.flat().flatMap(({ box_xywh, score }) => [...box_xywh, score, 0]);
  return labelTable(files, Float32Array.from(numbers));
}

describe("label table", () => {
  it("keeps at any threshold what the run would select", () => {
    for (const seed of [1, 2, 3]) {
      const images = example(seed);
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
    const images = example(4);
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

  it("sorts images by what is worth a look, equal ones in their order", () => {
    const table = tableOf(example(5));
    const all = [...table.files.keys()];
    const matches = all.map((image) => matchImage(table, image));
    const boxes = sortImages(table, all, "boxes", 0.3, matches).map((image) => keptOf(table, image, 0.3));
    assert.deepEqual(
      boxes,
      [...boxes].sort((a, b) => b - a),
    );
    assert.deepEqual(sortImages(table, all, "order", 0.3, matches), all);
    const errors = sortImages(table, all, "disagreement", 0.3, matches).map((image) => {
      const { wrong, missed } = outcomeOf(matches[image]!, keptOf(table, image, 0.3));
      return wrong + missed;
    });
    assert.deepEqual(
      errors,
      [...errors].sort((a, b) => b - a),
    );
  });

  it("counts every box once in the histogram, and estimates by the lowest score that is kept", () => {
    const table = tableOf(example(6));
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
