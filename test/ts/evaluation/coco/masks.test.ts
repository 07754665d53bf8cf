import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CasslError } from "../../../../ts/core/errors.js";
import { packageRoot } from "../../../../ts/core/package.js";
import {
  type CocoEvaluation,
  type CocoGroundTruth,
  type CocoMaskResult,
  type CocoResult,
  createEvaluator,
  evaluateCoco,
} from "../../../../ts/evaluation/coco/index.js";
import { fromPolygon, toCompressed } from "../../../../ts/masks/index.js";
import type { SegmCase } from "./cases.js";

const square = [[0, 0, 0, 40, 40, 40, 40, 0]];
const groundTruth: CocoGroundTruth = {
  images: [
    { id: 1, width: 64, height: 48 },
    { id: 2, width: 64, height: 48 },
  ],
  categories: [{ id: 5, name: "cat" }],
  annotations: [{ id: 1, image_id: 1, category_id: 5, segmentation: square, area: 1600 }],
};
const right: CocoMaskResult = { image_id: 1, category_id: 5, segmentation: square, score: 0.9 };
const rightBox: CocoResult = { image_id: 1, category_id: 5, bbox: [0, 0, 40, 40], score: 0.9 };

describe("evaluateCoco on masks", () => {
  it("needs no boxes", async () => {
    assertPerfect(await evaluateCoco(groundTruth, [right], { iouType: "segm" }));
  });

  it("takes the box of a result for its missing mask", async () => {
    assertPerfect(await evaluateCoco(groundTruth, [rightBox], { iouType: "segm" }));
  });

  it("takes boxes in columns for masks", async () => {
    const columns = {
      imageId: Int32Array.of(1),
      categoryId: Int32Array.of(5),
      boxXywh: Float32Array.of(0, 0, 40, 40),
      score: Float32Array.of(0.9),
    };
    assertPerfect(await evaluateCoco(groundTruth, columns, { iouType: "segm" }));
  });

  it("takes the extent of a result's mask for its missing box", async () => {
    const annotations = groundTruth.annotations.map((annotation) => ({ ...annotation, bbox: [0, 0, 40, 40] }));
    const segmentation = toCompressed(fromPolygon(square[0]!, 64, 48));
    assertPerfect(await evaluateCoco({ ...groundTruth, annotations }, [{ ...right, segmentation }]));
  });

  it("warns of masks that are not of their image's size", async () => {
    const small = { ...right, segmentation: { size: [4, 5] as const, counts: [0, 20] } };
    const { warnings, summary } = await evaluateCoco(groundTruth, [right, small], { iouType: "segm" });
    assert.match(warnings.join(), /result at position 1 has a mask of 5x4 px/);
    assert.ok(summary.ap > 0.99);
  });
});

describe("masks that come otherwise", () => {
  const vectors = readFileSync(join(packageRoot, "test/golden/coco-segm.json"), "utf8");
  const cases = JSON.parse(vectors) as SegmCase[];
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "cassl-masks-"));
  });
  after(() => rm(folder, { recursive: true }));

  it("count for boxes that are empty lists, as for missing ones", async () => {
    const [gt, dt] = [join(folder, "gt.json"), join(folder, "dt.json")];
    const segmentation = toCompressed(fromPolygon(square[0]!, 64, 48));
    const annotations = groundTruth.annotations.map((annotation) => ({ ...annotation, bbox: [0, 0, 40, 40] }));
    await writeFile(gt, JSON.stringify({ ...groundTruth, annotations }));
    for (const box of [{}, { bbox: [] }]) {
      const results = [0.9, 0.8, 0.7].map((score) => ({ ...right, segmentation, ...box, score }));
      await writeFile(dt, JSON.stringify(results));
      for (const iouType of ["bbox", "segm"] as const) assertPerfect(await evaluateCoco(gt, dt, { iouType }));
    }
  });

  it("give the same one by one", async () => {
    for (const { ground_truth, results, iou_type } of cases) {
      const evaluator = await createEvaluator(ground_truth, { iouType: iou_type });
      for (const result of results) evaluator.add(result.image_id, [result]);
      assertSame(evaluator.evaluate(), await evaluateCoco(ground_truth, results, { iouType: iou_type }));
    }
  });
});

describe("evaluateCoco on masks refuses", () => {
  const evaluateMask = (segmentation: unknown, images = groundTruth.images) =>
    evaluateCoco({ ...groundTruth, images }, [{ ...right, segmentation } as CocoMaskResult], { iouType: "segm" });
  const cases: [string, () => Promise<unknown>, RegExp][] = [
    [
      "a polygon of two corners",
      () => evaluateMask([[1, 2, 3, 4]]),
      /result at position 0 has a wrong mask: .* 4 numbers/,
    ],
    ["counts that are cut off", () => evaluateMask({ size: [48, 64], counts: "P" }), /position 0 .* "P" .* cut off/],
    ["null", () => evaluateMask(null), /position 0 .* null is no mask/],
    [
      "a polygon in an image of unknown size",
      () => evaluateMask(square, [{ id: 1 }]),
      /position 0 .* size of the image/,
    ],
    [
      "results of which only the first has a mask",
      () => evaluateCoco(groundTruth, [right, rightBox], { iouType: "segm" }),
      /result at position 1 .* undefined is no mask/,
    ],
    [
      "results of which only the first has a box",
      () => evaluateCoco(groundTruth, [rightBox, right], { iouType: "segm" }),
      /result at position 1 has bbox undefined/,
    ],
    [
      "ground truth without a mask",
      () => {
        const annotations = [{ id: 1, image_id: 1, category_id: 5, bbox: [0, 0, 40, 40], area: 1600 }];
        return evaluateCoco({ ...groundTruth, annotations }, [right], { iouType: "segm" });
      },
      /annotation at position 0 .* undefined is no mask/,
    ],
  ];
  for (const [what, evaluate, message] of cases) {
    it(what, () => {
      return assert.rejects(evaluate, (error) => {
        return error instanceof CasslError && error.reason === "ANNOTATIONS_INVALID" && message.test(error.message);
      });
    });
  }
});

function assertPerfect({ summary }: CocoEvaluation): void {
  assert.ok(Math.abs(summary.ap - 1) < 1e-12, String(summary.ap));
}

function assertSame(actual: CocoEvaluation, expected: CocoEvaluation): void {
  for (const array of ["precision", "recall", "scores"] as const) assert.deepEqual(actual[array], expected[array]);
  assert.equal(actual.warnings.length, expected.warnings.length);
}
