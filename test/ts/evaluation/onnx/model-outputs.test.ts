import assert from "node:assert/strict";
import type { ModelMetadata } from "../../../../ts/evaluation/onnx/model-metadata.js";
import { denseOutputs } from "../../../../ts/evaluation/onnx/model-outputs.js";

const metadata: ModelMetadata = {
  version: 1,
  family: "light",
  input: { width_px: 32, height_px: 32, resize: "pil-bilinear", fit: "letterbox-top-left", pad_value: 127 },
  categories: [
    { id: 1, name: "a" },
    { id: 2, name: "b" },
    { id: 3, name: "c" },
  ],
  predict: { score_threshold: 0.5, nms_iou: 0.5, max_candidates: 10, max_detections: 10 },
};

function tensor(...dims: number[]) {
  const length = dims.reduce((product, dim) => product * dim, 1);
  return { dims, data: Float32Array.from({ length }, (_, index) => index) };
}

const dense = { boxes: tensor(2, 5, 4), scores: tensor(2, 5, 3) };
const prototypes = { ...dense, mask_embeddings: tensor(2, 5, 7), prototypes: tensor(2, 7, 4, 6) };
const regions = { ...dense, region_masks: tensor(2, 5, 3, 8, 8) };

const refused = (outputs: object, masks: ModelMetadata["masks"], message: RegExp): void => {
  const read = (): unknown => denseOutputs("m.onnx", outputs as typeof dense, { ...metadata, masks }, 2);
  assert.throws(read, { reason: "MODEL_INVALID", message });
};

describe("denseOutputs", () => {
  it("gives each image its part, and masks only where the metadata speak of them", () => {
    const [first, second] = denseOutputs("m.onnx", regions, metadata, 2);
    assert.deepEqual([first?.masks, second?.scores.length, second?.scores[0]], [undefined, 15, 15]);
    const masks = denseOutputs("m.onnx", prototypes, { ...metadata, masks: "prototypes" }, 2)[1]?.masks;
    assert.ok(masks?.kind === "prototypes");
    assert.deepEqual([masks.channels, masks.rows, masks.columns], [7, 4, 6]);
    assert.deepEqual([masks.embeddings[0], masks.prototypes[0]], [35, 168]);
  });

  it("takes masks of each class, or one for all", () => {
    for (const classes of [1, 3]) {
      const outputs = { ...dense, region_masks: tensor(2, 5, classes, 8, 8) };
      const masks = denseOutputs("m.onnx", outputs, { ...metadata, masks: "regions" }, 2)[0]?.masks;
      assert.ok(masks?.kind === "regions" && masks.classes === classes && masks.side === 8);
    }
    refused({ ...dense, region_masks: tensor(2, 5, 2, 8, 8) }, "regions", /masks of 2 classes, but has 3/);
  });

  it("refuses outputs that are missing, contradict each other or are not float32", () => {
    refused(
      { boxes: dense.boxes },
      undefined,
      /gives boxes 2,5,4 scores undefined instead of boxes 2,L,4 scores 2,L,3/,
    );
    refused({ ...dense, scores: tensor(2, 6, 3) }, undefined, /scores 2,6,3/);
    refused({ ...dense, boxes: { dims: [2, 5, 4], data: new Float64Array(40) } }, undefined, /in float32/);
    refused(dense, "prototypes", /mask_embeddings undefined prototypes undefined/);
    refused({ ...prototypes, prototypes: tensor(2, 8, 4, 6) }, "prototypes", /prototypes 2,8,4,6/);
    refused({ ...regions, region_masks: tensor(2, 5, 3, 8, 9) }, "regions", /region_masks 2,5,3,8,9/);
  });
});
