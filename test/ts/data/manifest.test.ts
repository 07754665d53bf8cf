import assert from "node:assert/strict";
import type { Dataset } from "../../../ts/core/dataset.js";
import { objectsOf } from "../../../ts/core/dataset.js";
import { decodeManifest, encodeManifest } from "../../../ts/data/manifest.js";

const dataset: Dataset = {
  categories: [{ id: 2, name: "cat\nand \u00e9lan" }],
  images: [
    {
      id: 9,
      file_name: "a/b.jpg",
      sha256: "00",
      width_px: 32,
      height_px: 24,
      annotations: [
        { box_xywh: [1.5, 2, 3, 0.1], class_index: 0, area: 0.3, iscrowd: false, score: 0.25 },
        { box_xywh: [0, 0, 32, 24], class_index: 0, area: 768, iscrowd: true },
      ],
    },
    { id: 10, file_name: "c.png", sha256: "01", width_px: 1, height_px: 1, annotations: [] },
  ],
};

describe("the dataset manifest", () => {
  it("comes back as it was", () => {
    assert.deepEqual(decodeManifest(encodeManifest(dataset)), dataset);
    assert.deepEqual(decodeManifest(encodeManifest({ categories: [], images: [] })), { categories: [], images: [] });
  });

  it("is one line a record, with a header", () => {
    const lines = Buffer.from(encodeManifest(dataset)).toString().split("\n");
    assert.equal(lines.length, 4);
    assert.deepEqual(JSON.parse(lines[0] ?? ""), {
      cassl: "dataset",
      version: 1,
      categories: dataset.categories,
      image_count: 2,
    });
  });

  it("is refused when it is cut off, at a line or inside one", () => {
    const bytes = encodeManifest(dataset);
    const lineEnd = bytes.lastIndexOf(10, bytes.length - 2);
    assert.throws(() => decodeManifest(bytes.subarray(0, lineEnd)), {
      reason: "ANNOTATIONS_INVALID",
      message: /announces 2 .* holds 1/,
    });
    assert.throws(() => decodeManifest(bytes.subarray(0, lineEnd + 20)), { reason: "ANNOTATIONS_INVALID" });
    assert.throws(() => decodeManifest(new Uint8Array()), { reason: "ANNOTATIONS_INVALID" });
    assert.throws(() => decodeManifest(Buffer.from("{}\n")), { reason: "ANNOTATIONS_INVALID" });
  });

  it("has no crowds among the objects to learn from", () => {
    assert.deepEqual(
      dataset.images.map((image) => objectsOf(image).length),
      [1, 0],
    );
  });
});
