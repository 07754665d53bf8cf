import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import type { Annotation, Dataset } from "../../../ts/core/dataset.js";
import { type Evaluated, evaluateStored } from "../../../ts/dashboard/evaluation/evaluated.js";
import { imagesOfCell, worstImagesOf } from "../../../ts/dashboard/evaluation/evaluated-images.js";
import { confusionTable } from "../../../ts/dashboard/view/confusion-view.js";
import { meanCurve } from "../../../ts/dashboard/view/precision-view.js";
import { encodeManifest } from "../../../ts/data/manifest.js";
import type { CocoResult } from "../../../ts/evaluation/coco/index.js";
import { diagnose } from "../../../ts/evaluation/diagnosis/index.js";
import { encodeCounts, fromBox } from "../../../ts/masks/index.js";
import { temporaryFolder } from "../data/fixtures.js";
import { randomDataSet } from "../evaluation/diagnosis/fixtures.js";

const SIDE = 500;

/** The random data set of diagnosis tests, as a run would have stored it: in files, and with masks if wanted. */
function storedDataSet(seed: number, withMasks: boolean): { dataset: Dataset; results: CocoResult[] } {
  const { groundTruth, results } = randomDataSet(seed, 8);
  const maskOf = (box: readonly number[]) =>
    encodeCounts(fromBox(box as [number, number, number, number], SIDE, SIDE).counts);
  const { categories = [], annotations = [], images = [] } = groundTruth;
  const objectsOf = (id: number): Annotation[] =>
    annotations
      .filter(({ image_id }) => image_id === id)
      .map(({ bbox = [], category_id, area = 0, iscrowd }) => ({
        box_xywh: bbox as unknown as Annotation["box_xywh"],
        class_index: categories.findIndex((category) => category.id === category_id),
        area,
        iscrowd: iscrowd === 1,
        ...(withMasks ? { mask: maskOf(bbox) } : {}),
      }));
  return {
    dataset: {
      categories: categories.map(({ id, name }) => ({ id, name })),
      // Not in the order of their ids.
      images: [...images].reverse().map(({ id }) => {
        return { id, file_name: `${id}.png`, sha256: "", width_px: SIDE, height_px: SIDE, annotations: objectsOf(id) };
      }),
    },
    results: (results as readonly CocoResult[]).map((result) =>
      withMasks ? { ...result, segmentation: { size: [SIDE, SIDE] as const, counts: maskOf(result.bbox) } } : result,
    ),
  };
}

describe("evaluation of a run", () => {
  const path = temporaryFolder();

  async function evaluated(seed: number, iouType: "bbox" | "segm" = "bbox"): Promise<Evaluated> {
    const { dataset, results } = storedDataSet(seed, iouType === "segm");
    await writeFile(path("truth"), encodeManifest(dataset));
    await writeFile(path("detections"), JSON.stringify(results));
    return evaluateStored({ groundTruth: path("truth"), detections: path("detections"), iouType });
  }

  it("says what a diagnosis of the same files says", async () => {
    const { groundTruth, results } = randomDataSet(4, 8);
    const { diagnosis } = await diagnose(groundTruth, results);
    const { facts, worst, images } = await evaluated(4);
    assert.deepEqual(facts.best, diagnosis.bestThreshold);
    assert.deepEqual(
      facts.classes.map(({ name, ap }) => [name, ap]),
      diagnosis.perClass.map(({ name, ap }) => [name, ap]),
    );
    const side = facts.classes.length + 1;
    const counts = new Int32Array(side ** 2);
    for (const [truth, detected, count] of facts.confusion) counts[truth * side + detected] = count;
    assert.deepEqual(counts, diagnosis.confusion.counts);
    assert.deepEqual(
      worst.map((image) => images[image]?.file_name).slice(0, 10),
      diagnosis.worstImages.map(({ imageId }) => `${imageId}.png`),
    );
    assert.deepEqual(
      facts.worst.map(({ errors }) => errors).slice(0, 10),
      diagnosis.worstImages.map(({ errors }) => errors),
    );
  });

  it("has for each cell of the matrix the images that it counts, with the boxes drawn as what they are", async () => {
    const all = await evaluated(6);
    const background = all.facts.classes.length;
    assert.ok(all.facts.confusion.length > 4);
    for (const [truth, detected, count] of all.facts.confusion) {
      const { images, total } = imagesOfCell(all, { truth, detected });
      assert.equal(
        images.reduce((sum, image) => sum + image.count, 0),
        count,
      );
      assert.equal(images.length, total);
      const kinds = images.flatMap(({ boxes }) => boxes.map(({ kind }) => kind));
      const drawn = (kind: string): number => kinds.filter((other) => other === kind).length;
      const isRight = truth === detected;
      assert.equal(drawn("right"), isRight ? count : 0);
      assert.equal(drawn("wrong"), isRight || detected === background ? 0 : count);
      assert.equal(drawn("missed"), isRight || truth === background ? 0 : count);
    }
    assert.deepEqual(imagesOfCell(all, { truth: 99, detected: 99 }), { total: 0, images: [] });
  });

  it("draws boxes where the files have them, also where masks are compared", async () => {
    const [boxes, masks] = [await evaluated(6), await evaluated(6, "segm")];
    // The masks are the boxes, rounded to pixels.
    assert.ok(Math.abs(boxes.facts.best.f1 - masks.facts.best.f1) < 0.1);
    const { dataset, results } = storedDataSet(6, false);
    const known = new Map(dataset.images.map(({ file_name, annotations }) => [file_name, annotations]));
    for (const { name, boxes: drawn } of worstImagesOf(masks).images) {
      const found = results.filter(({ image_id }) => `${image_id}.png` === name).map(({ bbox }) => bbox);
      const objects = (known.get(name) ?? []).map(({ box_xywh }) => box_xywh);
      for (const { box, kind } of drawn) {
        const candidates = kind === "missed" ? objects : found;
        assert.ok(candidates.some((other) => other.every((value, at) => Math.abs(value - (box[at] as number)) < 1e-3)));
      }
    }
  });

  it("draws a mask where the files have one, of the object or the detection that the box is of", async () => {
    const masks = await evaluated(6, "segm");
    const drawn = worstImagesOf(masks).images.flatMap(({ boxes }) => boxes);
    assert.ok(drawn.length > 10);
    for (const { box, mask } of drawn) {
      const sides = [...(mask ?? "").matchAll(/M(\d+) (\d+)h(\d+)V(\d+)/g)].map((strip) => strip.slice(1).map(Number));
      const [left = 0, top = 0] = [Math.min(...sides.map(([x = 0]) => x)), Math.min(...sides.map(([, y = 0]) => y))];
      assert.ok(Math.abs(left - box[0]) <= 2 && Math.abs(top - box[1]) <= 1, `${mask} of ${box.join()}`);
    }
    const plain = worstImagesOf(await evaluated(6)).images.flatMap(({ boxes }) => boxes);
    assert.ok(plain.every(({ mask }) => mask === undefined));
  });

  it("is there for a detector that finds nothing", async () => {
    const { dataset } = storedDataSet(2, false);
    await writeFile(path("truth"), encodeManifest(dataset));
    await writeFile(path("detections"), "[]");
    const { facts } = await evaluateStored({
      groundTruth: path("truth"),
      detections: path("detections"),
      iouType: "bbox",
    });
    assert.equal(facts.best.threshold, null);
    assert.ok(facts.confusion.every(([, detected]) => detected === facts.classes.length));
  });
});

describe("view of a confusion matrix", () => {
  it("shows the classes that are confused most, in their order, and the background last", () => {
    const table = confusionTable(
      4,
      [
        [0, 0, 9],
        [1, 1, 5],
        [3, 1, 2],
        [2, 4, 50],
        [4, 0, 7],
      ],
      2,
    );
    assert.deepEqual(table.shown, [1, 3, 4]);
    assert.deepEqual([table.countAt(3, 1), table.countAt(1, 3), table.rowTotal(2)], [2, 0, 50]);
  });

  it("shows all classes where there are few", () => {
    assert.deepEqual(confusionTable(2, [], 30).shown, [0, 1, 2]);
  });
});

describe("meanCurve", () => {
  it("is the mean over the classes that have objects", () => {
    assert.deepEqual(meanCurve([[1, 0.5], [], [0, 0.5]]), [0.5, 0.5]);
    assert.deepEqual(meanCurve([[]]), []);
  });
});
