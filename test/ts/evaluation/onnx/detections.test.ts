import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { packageRoot } from "../../../../ts/core/package.js";
import { type Detections, toDetections } from "../../../../ts/evaluation/onnx/detections.js";
import type { ModelMetadata } from "../../../../ts/evaluation/onnx/model-metadata.js";

interface DetectionCase {
  readonly input: { width_px: number; height_px: number };
  readonly image: { width_px: number; height_px: number };
  readonly predict: ModelMetadata["predict"];
  readonly class_count: number;
  readonly boxes: number[];
  readonly scores: number[];
  /** Rows [x, y, w, h, score, class_index]. */
  readonly expected: number[][];
}

const cases = JSON.parse(readFileSync(join(packageRoot, "test/golden/detections.json"), "utf8")) as DetectionCase[];

describe("toDetections", () => {
  cases.forEach((detectionCase, index) => {
    it(`finds what torchvision finds, case ${index}`, () => {
      assert.deepEqual(rowsOf(detect(detectionCase)), detectionCase.expected);
    });
  });

  it("compares the threshold in float32, so that a score of the threshold counts", () => {
    const [first] = cases as [DetectionCase];
    const predict = { ...first.predict, score_threshold: 0.05 };
    const one = { ...first, predict, class_count: 1, boxes: [0, 0, 10, 10], scores: [0.05] };
    assert.equal(detect(one).score.length, 1);
  });
});

function detect({ input, image, predict, class_count, boxes, scores }: DetectionCase): Detections {
  const metadata: ModelMetadata = {
    version: 1,
    family: "light",
    input: { ...input, resize: "pil-bilinear", fit: "letterbox-top-left", pad_value: 127 },
    categories: Array.from({ length: class_count }, (_, id) => ({ id, name: String(id) })),
    predict,
  };
  const dense = { boxes: Float32Array.from(boxes), scores: Float32Array.from(scores) };
  return toDetections(dense, metadata, { widthPx: image.width_px, heightPx: image.height_px });
}

function rowsOf({ boxXywh, score, classIndex }: Detections): number[][] {
  return Array.from(score, (value, i) => [...boxXywh.subarray(4 * i, 4 * i + 4), value, classIndex[i] as number]);
}
