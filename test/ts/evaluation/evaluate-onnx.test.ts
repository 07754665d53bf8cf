import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openArtifactStore } from "../../../ts/controller/artifacts.js";
import type { BoxXywh } from "../../../ts/core/boxes.js";
import type { Annotation, Dataset, DatasetImage } from "../../../ts/core/dataset.js";
import { packageRoot } from "../../../ts/core/package.js";
import { type EvaluationSummary, evaluateOnnx } from "../../../ts/evaluation/evaluate-onnx.js";
import { localImages } from "../../../ts/images/image-store.js";
import { encodeCounts, fromBox } from "../../../ts/masks/index.js";
import { BLUE, type ColoredCell, cellBox, RED, writeCells } from "./cells.js";

/** In another order than in the model. */
const categories = [
  { id: 3, name: "blue" },
  { id: 7, name: "red" },
];
const CLASS = { blue: 0, red: 1 };

describe("evaluateOnnx", () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "cassl-evaluate-"));
  });
  afterEach(() => rm(folder, { recursive: true }));

  const imageOf = async (id: number, painted: ColoredCell[], annotations: Annotation[]): Promise<DatasetImage> => {
    await writeCells(folder, `${id}.png`, painted);
    return { id, file_name: `${id}.png`, sha256: "", width_px: 64, height_px: 48, annotations };
  };
  const evaluate = async (
    datasetImages: DatasetImage[],
    name: "detections" | "regions" = "detections",
    signal = new AbortController().signal,
  ) => {
    const model = join(packageRoot, `test/golden/${name}-model.onnx`);
    const dataset: Dataset = { categories, images: datasetImages };
    const artifacts = await openArtifactStore(join(folder, "artifacts"));
    const progress: [number, number][] = [];
    const onProgress = (done: number, total: number) => progress.push([done, total]);
    const images = localImages;
    const summary = await evaluateOnnx({ model, dataset, imageRoot: folder, images, artifacts, signal, onProgress });
    const detections: unknown = JSON.parse(Buffer.from(await artifacts.read(summary.detections.sha256)).toString());
    return { summary, detections, progress };
  };

  it("finds everything that the model finds, under the category ids of its metadata", async () => {
    const painted = [
      { cell: 0, color: RED },
      { cell: 6, color: BLUE },
    ];
    const image = await imageOf(11, painted, [annotationAt(0, CLASS.red), annotationAt(6, CLASS.blue)]);
    const { summary, detections, progress } = await evaluate([image]);
    assert.deepEqual(rounded(summary), { ap: 1, ap50: 1, ap75: 1, class_agnostic_ap: 1, blue: 1, red: 1 });
    assert.deepEqual(detections, [
      { image_id: 11, category_id: 7, bbox: [0, 0, 16, 16], score: 1 },
      { image_id: 11, category_id: 3, bbox: [32, 16, 16, 16], score: 1 },
    ]);
    assert.deepEqual(progress, [[1, 1]]);
  });

  it("tells apart what is not found and what is called by the wrong name", async () => {
    const missed = await imageOf(1, [], [annotationAt(3, CLASS.red)]);
    const misnamed = await imageOf(2, [{ cell: 3, color: RED }], [annotationAt(3, CLASS.blue)]);
    const { summary } = await evaluate([missed, misnamed]);
    assert.deepEqual(rounded(summary), { ap: 0, ap50: 0, ap75: 0, class_agnostic_ap: 0.5, blue: 0, red: 0 });
  });

  it("says -1 where there is nothing to find", async () => {
    const crowd = { ...annotationAt(3, CLASS.red), iscrowd: true };
    const { summary } = await evaluate([await imageOf(1, [{ cell: 3, color: RED }], [crowd])]);
    assert.deepEqual(rounded(summary), { ap: -1, ap50: -1, ap75: -1, class_agnostic_ap: -1, blue: -1, red: -1 });
  });

  it("gives AP of masks beside that of boxes, where the model gives masks", async () => {
    const right = { ...annotationAt(0, CLASS.red), mask: maskOf(cellBox(0)) };
    // Half of what the model finds: no match above IoU 0.5.
    const [x, y, width, height] = cellBox(6);
    const half = { ...annotationAt(6, CLASS.blue), mask: maskOf([x, y, width / 2, height]) };
    const painted = [
      { cell: 0, color: RED },
      { cell: 6, color: BLUE },
    ];
    const { summary, detections } = await evaluate([await imageOf(1, painted, [right, half])], "regions");
    assert.deepEqual(rounded(summary), { ap: 1, ap50: 1, ap75: 1, class_agnostic_ap: 1, blue: 1, red: 1 });
    const { segm_ap, segm_ap50, segm_ap75, class_agnostic_segm_ap } = summary;
    const rows = [segm_ap, segm_ap50, segm_ap75, class_agnostic_segm_ap].map(
      (ap) => Math.round(100 * (ap ?? -1)) / 100,
    );
    // Without classes the wrong mask of two that score alike comes first.
    assert.deepEqual(rows, [0.55, 1, 0.5, 0.33]);
    const [first] = detections as { segmentation: object }[];
    assert.deepEqual(first?.segmentation, { size: [48, 64], counts: right.mask });
  });

  it("refuses to compare masks with objects that have none", async () => {
    const image = await imageOf(1, [{ cell: 0, color: RED }], [annotationAt(0, CLASS.red)]);
    await assert.rejects(evaluate([image], "regions"), { reason: "ANNOTATIONS_INVALID" });
  });

  it("stores nothing when it is cancelled", async () => {
    const image = await imageOf(1, [], []);
    await assert.rejects(evaluate([image], "detections", AbortSignal.abort()), { reason: "CANCELLED" });
  });

  it("names a missing image", async () => {
    const image = { ...(await imageOf(1, [], [])), file_name: "gone.png" };
    await assert.rejects(evaluate([image]), { reason: "IMAGE_INVALID", message: /gone\.png/ });
  });
});

function annotationAt(cell: number, class_index: number): Annotation {
  return { box_xywh: cellBox(cell), class_index, area: 256, iscrowd: false };
}

function maskOf(boxXywh: BoxXywh): string {
  return encodeCounts(fromBox(boxXywh, 64, 48).counts);
}

function rounded({ ap, ap50, ap75, class_agnostic_ap, per_class }: EvaluationSummary): Record<string, number> {
  const classes = per_class.map(({ name, ap }): [string, number] => [name, ap]);
  const all = { ap, ap50, ap75, class_agnostic_ap, ...Object.fromEntries(classes) };
  return Object.fromEntries(Object.entries(all).map(([name, value]) => [name, Math.round(100 * value) / 100]));
}
