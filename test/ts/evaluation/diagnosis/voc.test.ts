import assert from "node:assert/strict";
import type { CocoAnnotation } from "../../../../ts/evaluation/coco/index.js";
import { splitErrors, type VocMethod, vocAveragePrecision } from "../../../../ts/evaluation/diagnosis/index.js";
import { type DataSet, matchesOf, placed, randomDataSet } from "./fixtures.js";

describe("vocAveragePrecision", () => {
  it("gives the published values of an example of 15 objects and 24 detections", async () => {
    // Padilla et al., IWSSIP 2020: which detections are right, by descending confidence.
    const right = [0, 2, 9, 11, 12, 13, 22];
    const objects = Array.from({ length: 15 }, (_, n) => `1 cat ${100 * n}`).join(", ");
    const detections = Array.from({ length: 24 }, (_, place) => {
      const object = right.indexOf(place);
      return object >= 0 ? `1 cat ${100 * object}` : `1 cat ${100 * place} 500`;
    }).join(", ");
    const matches = await matchesOf(placed(objects, detections));
    const ap = (method: VocMethod): number => vocAveragePrecision(matches, { method }).ap;
    // They come from precisions and recalls that were cut to four digits.
    assert.ok(Math.abs(ap("every-point") - 0.2456) < 2e-4);
    assert.ok(Math.abs(ap("11-point") - 0.2684) < 2e-4);
  });

  it("lets a detection stand for the object that it overlaps most, even where another is free", async () => {
    const matches = await matchesOf(placed("1 cat 0, 1 cat 8", "1 cat 0, 1 cat 3"));
    assert.equal(vocAveragePrecision(matches).ap, 0.5);
    assert.ok(splitErrors(matches).ap > 0.99);
  });

  it("ignores what overlaps ignored ground truth most", async () => {
    const { groundTruth, results } = placed("1 cat 0, 1 cat 100", "1 cat 0, 1 cat 100");
    const annotations = groundTruth.annotations.map((annotation, row) => ({ ...annotation, iscrowd: 1 - row }));
    const matches = await matchesOf({ groundTruth: { ...groundTruth, annotations }, results });
    assert.equal(vocAveragePrecision(matches).ap, 1);
  });

  it("is the mean over classes with ground truth, and -1 without any", async () => {
    const { ap, perClass } = vocAveragePrecision(await matchesOf(placed("1 cat 0, 1 dog 100", "1 cat 0, 1 owl 0")));
    assert.equal(ap, 0.5);
    assert.deepEqual(
      perClass.map((row) => row.ap),
      [1, 0, -1],
    );
    const { groundTruth, results } = placed("1 cat 0", "1 cat 0");
    assert.equal(
      vocAveragePrecision(await matchesOf({ groundTruth: { ...groundTruth, annotations: [] }, results })).ap,
      -1,
    );
  });

  for (const method of ["11-point", "every-point"] as const) {
    it(`equals the loops of the development kit on random data, ${method}`, async () => {
      for (let seed = 0; seed < 20; seed++) {
        const data = withoutCrowds(randomDataSet(seed));
        const { perClass } = vocAveragePrecision(await matchesOf(data), { iou: 0.6, method });
        for (const { categoryId, ap } of perClass) {
          assert.ok(
            Math.abs(ap - slowVocAp(data, categoryId, 0.6, method)) < 1e-9,
            `seed ${seed}, class ${categoryId}`,
          );
        }
      }
    });
  }
});

function withoutCrowds({ groundTruth, results }: DataSet): DataSet {
  const annotations = groundTruth.annotations.map((annotation) => ({ ...annotation, iscrowd: 0 }));
  return { groundTruth: { ...groundTruth, annotations }, results };
}

/** Straight from the boxes, with a curve of every detection and no thought of speed. */
function slowVocAp({ groundTruth, results }: DataSet, category: number, minIou: number, method: VocMethod): number {
  const objects = groundTruth.annotations.filter((annotation) => annotation.category_id === category);
  if (objects.length === 0) return -1;
  const taken = new Set<CocoAnnotation>();
  let right = 0;
  const detections = results.filter((result) => result.category_id === category).sort((a, b) => b.score - a.score);
  const curve = detections.map(({ bbox, image_id }, place) => {
    const [best] = objects
      .filter((object) => object.image_id === image_id)
      .sort((a, b) => iouOf(bbox, b.bbox) - iouOf(bbox, a.bbox));
    if (best !== undefined && iouOf(bbox, best.bbox) >= minIou && !taken.has(best)) {
      taken.add(best);
      right++;
    }
    return { recall: right / objects.length, precision: right / (place + 1) };
  });
  const highestFrom = (recall: number): number =>
    Math.max(0, ...curve.filter((point) => point.recall >= recall - 1e-9).map((point) => point.precision));
  const mean = (recalls: number[]): number =>
    recalls.reduce((sum, recall) => sum + highestFrom(recall), 0) / recalls.length;
  if (method === "11-point") return mean(Array.from({ length: 11 }, (_, tenth) => tenth / 10));
  return mean(objects.map((_, n) => (n + 1) / objects.length));
}

function iouOf(one: readonly number[] = [], other: readonly number[] = []): number {
  const [x1 = 0, y1 = 0, w1 = 0, h1 = 0] = one;
  const [x2 = 0, y2 = 0, w2 = 0, h2 = 0] = other;
  const width = Math.max(0, Math.min(x1 + w1, x2 + w2) - Math.max(x1, x2));
  const height = Math.max(0, Math.min(y1 + h1, y2 + h2) - Math.max(y1, y2));
  return (width * height) / (w1 * h1 + w2 * h2 - width * height);
}
