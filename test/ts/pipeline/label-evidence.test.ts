import assert from "node:assert/strict";
import type { Annotation, Dataset } from "../../../ts/core/dataset.js";
import type { ImagePredictions } from "../../../ts/labels/predictions.js";
import { labelEvidence } from "../../../ts/pipeline/label-evidence.js";

const COUNT = 12;
const annotation = (x: number, iscrowd = false): Annotation => ({
  box_xywh: [x, 10, 20, 20],
  class_index: 0,
  area: 400,
  iscrowd,
});
/** Images of different sizes. */
const datasetOf = (annotationsOf: (image: number) => Annotation[]): Dataset => ({
  categories: [{ id: 1, name: "object" }],
  images: Array.from({ length: COUNT }, (_, image) => ({
    id: image + 1,
    file_name: `${image}.jpg`,
    sha256: "00",
    width_px: 100 * (image + 1),
    height_px: 50 * (image + 1),
    annotations: annotationsOf(image),
  })),
});

async function* labelsOf(boxes: (image: number) => readonly (readonly number[])[], scores: readonly number[]) {
  for (let imageIndex = 0; imageIndex < COUNT; imageIndex++) {
    const own = boxes(imageIndex);
    const labels: ImagePredictions = {
      imageIndex,
      boxXyxy: Float32Array.from(own.flat()),
      score: Float32Array.from(own, (_, row) => scores[row] as number),
      classIndex: new Int32Array(own.length),
    };
    yield await Promise.resolve(labels);
  }
}
const unlabeled = datasetOf(() => []);
const measure = (boxes: (image: number) => readonly (readonly number[])[], scores: readonly number[], truth: Dataset) =>
  labelEvidence(labelsOf(boxes, scores), unlabeled, truth, 2);

describe("what gates look at in pseudo labels", () => {
  const truth = datasetOf((image) => [annotation(5 * image), annotation(0, true)]);

  it("is how many are at the cap of the score, and how many images at that of their number", async () => {
    const boxes = (image: number) =>
      [
        [0, 0, 9, 9],
        [20, 0, 29, 9],
      ].slice(0, image === 0 ? 1 : 2);
    const { capped, full_images } = await measure(boxes, [0.9995, 0.99], truth);
    assert.deepEqual([capped, full_images], [COUNT, COUNT - 1]);
  });

  it("is how the best box of each image stands in shares of it", async () => {
    const everywhere = (image: number) => [
      [0, 0, 50 * (image + 1), 25 * (image + 1)],
      [image, 3, 4 * image + 4, 9],
    ];
    const { collapse } = await measure(everywhere, [0.9, 0.5], truth);
    assert.ok(Math.abs((collapse?.predicted ?? 0) - 1) < 1e-6);
    assert.ok((collapse?.groundTruth ?? 1) < 0.3);
  });

  it("counts no crowd as an object, and measures nothing without objects", async () => {
    const crowds = datasetOf(() => [annotation(0, true)]);
    assert.equal((await measure(() => [[0, 0, 9, 9]], [0.9], crowds)).collapse, undefined);
  });
});
