import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { BoxXyxy } from "../../../../ts/core/boxes.js";
import { packageRoot } from "../../../../ts/core/package.js";
import { toDetections } from "../../../../ts/evaluation/onnx/detections.js";
import { type Found, type MaskOutput, maskCounts } from "../../../../ts/evaluation/onnx/instance-masks.js";
import type { ModelMetadata } from "../../../../ts/evaluation/onnx/model-metadata.js";
import { area, decodeCounts } from "../../../../ts/masks/index.js";

interface SizePx {
  readonly width_px: number;
  readonly height_px: number;
}

interface MaskCase {
  readonly masks: "prototypes" | "regions";
  readonly input: SizePx;
  readonly image: SizePx;
  /** xyxy of the candidates, px of the input. */
  readonly boxes: number[];
  readonly mask_embeddings: number[];
  readonly prototypes: number[];
  readonly grid: [columns: number, rows: number];
  readonly region_masks: number[];
  readonly mask_classes: number;
  readonly side: number;
  readonly detections: {
    readonly candidate: number;
    readonly class_index: number;
    readonly box_xyxy: BoxXyxy;
    readonly counts: string | null;
  }[];
}

const cases = JSON.parse(readFileSync(join(packageRoot, "test/golden/instance-masks.json"), "utf8")) as MaskCase[];

describe("maskCounts", () => {
  cases.forEach((one, index) => {
    const { masks, image, input, detections } = one;
    it(`gives the pixels that numpy gives, case ${index}: ${masks}, ${image.width_px}x${image.height_px} px`, () => {
      const output = outputOf(one);
      const counts = detections.map((detection) => {
        return maskCounts(output, foundIn(one, detection), sizeOf(input), sizeOf(image)) ?? null;
      });
      assert.deepEqual(
        counts,
        detections.map(({ counts }) => counts),
      );
    });
  });

  it("cuts a mask at the box, whose right and lower sides are outside", () => {
    const masks: MaskOutput = { kind: "regions", logits: Float32Array.of(1), classes: 1, side: 1 };
    const size = { widthPx: 20, heightPx: 10 };
    const pixels = (box: BoxXyxy): number => {
      const counts = maskCounts(masks, { location: 0, classIndex: 0, candidateXyxy: box, boxXyxy: box }, size, size);
      return counts === undefined ? 0 : area({ width: 20, height: 10, counts: decodeCounts(counts) });
    };
    assert.equal(pixels([2, 3, 6, 8]), 4 * 5);
    assert.equal(pixels([2.5, 3.5, 6.5, 8.5]), 4 * 5);
    assert.equal(pixels([2.51, 3.51, 6.5, 8.5]), 3 * 4);
    assert.equal(pixels([0, 0, 20, 10]), 200);
    assert.equal(pixels([2.6, 3, 3.4, 8]), 0);
  });

  it("takes logits that are no numbers for outside", () => {
    const masks: MaskOutput = { kind: "regions", logits: Float32Array.of(NaN, 1, NaN, 1), classes: 1, side: 2 };
    const box: BoxXyxy = [0, 0, 4, 4];
    const size = { widthPx: 4, heightPx: 4 };
    const found = { location: 0, classIndex: 0, candidateXyxy: box, boxXyxy: box };
    assert.equal(maskCounts(masks, found, size, size), undefined);
  });
});

describe("toDetections with masks", () => {
  const metadata: ModelMetadata = {
    version: 1,
    family: "mask_rcnn",
    input: { width_px: 32, height_px: 32, resize: "pil-bilinear", fit: "letterbox-top-left", pad_value: 127 },
    categories: [
      { id: 1, name: "a" },
      { id: 2, name: "b" },
    ],
    masks: "regions",
    predict: { score_threshold: 0.5, nms_iou: 0.5, max_candidates: 10, max_detections: 10 },
  };
  const size = { widthPx: 32, heightPx: 32 };
  const boxes = Float32Array.of(0, 0, 8, 8, 16, 16, 24, 32);

  it("gives each detection the mask of its location and class, and leaves out what has an empty one", () => {
    const scores = Float32Array.of(0.6, 0.9, 0.8, 0.7);
    const logits = Float32Array.of(1, -1, 1, 1);
    const masks: MaskOutput = { kind: "regions", logits, classes: 2, side: 1 };
    const found = toDetections({ boxes, scores, masks }, metadata, size);
    assert.deepEqual([...found.classIndex], [0, 1, 0]);
    assert.deepEqual([...found.boxXywh.subarray(8)], [0, 0, 8, 8]);
    assert.deepEqual(
      found.masks?.map((counts) => area({ ...{ width: 32, height: 32 }, counts: decodeCounts(counts) })),
      [128, 128, 64],
    );
  });

  it("gives masks that are the same for all classes to each", () => {
    const scores = Float32Array.of(0.6, 0.9, 0, 0);
    const masks: MaskOutput = { kind: "regions", logits: Float32Array.of(1, 1), classes: 1, side: 1 };
    const { masks: found = [] } = toDetections({ boxes, scores, masks }, metadata, size);
    assert.equal(found.length, 2);
    assert.equal(found[0], found[1]);
  });
});

function outputOf(one: MaskCase): MaskOutput {
  if (one.masks === "regions") {
    const { region_masks, mask_classes, side } = one;
    return { kind: "regions", logits: Float32Array.from(region_masks), classes: mask_classes, side };
  }
  const [columns, rows] = one.grid;
  return {
    kind: "prototypes",
    embeddings: Float32Array.from(one.mask_embeddings),
    prototypes: Float32Array.from(one.prototypes),
    channels: one.prototypes.length / (columns * rows),
    rows,
    columns,
  };
}

function foundIn({ boxes }: MaskCase, detection: MaskCase["detections"][number]): Found {
  const { candidate, class_index, box_xyxy } = detection;
  const candidateXyxy = boxes.slice(4 * candidate, 4 * candidate + 4) as unknown as BoxXyxy;
  return { location: candidate, classIndex: class_index, candidateXyxy, boxXyxy: box_xyxy };
}

function sizeOf({ width_px, height_px }: SizePx) {
  return { widthPx: width_px, heightPx: height_px };
}
