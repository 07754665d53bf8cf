import assert from "node:assert/strict";
import { openArtifactStore } from "../../../ts/controller/artifacts.js";
import type { Annotation, Dataset } from "../../../ts/core/dataset.js";
import { everyDetection, judgeLabeler } from "../../../ts/pipeline/judge-labeler.js";
import { temporaryFolder } from "../data/fixtures.js";
import { storePredictions } from "../labels/fixtures.js";

const box = (x: number, more: Partial<Annotation> = {}): Annotation => ({
  box_xywh: [x, 10, 20, 20],
  class_index: 0,
  area: 400,
  iscrowd: false,
  ...more,
});
const datasetOf = (images: readonly (readonly Annotation[])[]): Dataset => ({
  categories: [
    { id: 3, name: "cat" },
    { id: 7, name: "dog" },
  ],
  images: images.map((annotations, index) => ({
    id: 10 * index,
    file_name: `${index}.jpg`,
    sha256: "00",
    width_px: 100,
    height_px: 50,
    annotations,
  })),
});
const heldOut = datasetOf([[box(0), box(60)], [box(30, { class_index: 1 }), box(70, { iscrowd: true })], []]);
const rules = { mostPerImage: 100, seed: 0 };

describe("judging a pseudo-labeler", () => {
  const path = temporaryFolder();

  it("counts matches at IoU 0.5, with nothing in crowds counted", async () => {
    const detected = datasetOf([
      [box(1, { score: 0.9 }), box(3, { score: 0.8 })],
      [box(30, { class_index: 1, score: 0.7 }), box(71, { score: 0.6 })],
      [box(0, { score: 0.5 })],
    ]);
    const { threshold } = await judgeLabeler(heldOut, detected, { policy: "fixed", score: 0 }, rules);
    assert.deepEqual([threshold.images, threshold.objects], [3, 3]);
    assert.deepEqual([threshold.precision, threshold.recall], [2 / 4, 2 / 3]);
    assert.equal(threshold.boxes_per_image, 4 / 3);
  });

  it("takes a box of the wrong class for wrong where there are classes", async () => {
    const detected = datasetOf([[], [box(30, { class_index: 0, score: 0.7 })], []]);
    const { threshold, average_recall } = await judgeLabeler(heldOut, detected, { policy: "auto", beta: 1 }, rules);
    assert.deepEqual([threshold.recall, average_recall], [0, 0]);
  });

  it("measures recall over all IoUs and calibration over all scores", async () => {
    const perfect = datasetOf([
      [box(0, { score: 1 }), box(60, { score: 1 })],
      [box(30, { class_index: 1, score: 1 })],
      [],
    ]);
    const quality = await judgeLabeler(heldOut, perfect, { policy: "auto", beta: 1 }, rules);
    assert.deepEqual([quality.average_recall, quality.calibration_error, quality.threshold.f_beta], [1, 0, 1]);
    const unsure = datasetOf([[box(0, { score: 0.25 }), box(60, { score: 0.25 })], [], []]);
    assert.equal((await judgeLabeler(heldOut, unsure, { policy: "auto", beta: 1 }, rules)).calibration_error, 0.75);
  });

  it("warns where held-out images are of series that were trained on", async () => {
    const torn = { ...rules, isTorn: true };
    const { threshold } = await judgeLabeler(heldOut, datasetOf([[], [], []]), { policy: "auto", beta: 1 }, torn);
    assert.match(threshold.warnings.join(), /series that were trained on/);
  });

  it("sees what would become pseudo labels: apart from each other and large enough, whatever their score", async () => {
    const artifacts = await openArtifactStore(path("artifacts"));
    const raw = await storePredictions(
      [
        [
          { index: 0, predictions: [prediction(0, 0.9), prediction(1, 0.3), prediction(60, 0.01)] },
          { index: 1, predictions: [] },
          { index: 2, predictions: [{ ...prediction(0, 0.9), box: [0, 0, 1, 9] }] },
        ],
      ],
      artifacts,
    );
    const detected = await everyDetection(raw, heldOut, { nms_iou: 0.5, max_per_image: 9, min_side_px: 2 }, artifacts);
    assert.deepEqual(
      detected.images.map(({ annotations }) => annotations.length),
      [2, 0, 0],
    );
  });
});

function prediction(x: number, score: number) {
  return { box: [x, 10, x + 20, 30] as const, score, classIndex: 0 };
}
