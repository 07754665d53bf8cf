import assert from "node:assert/strict";
import * as masks from "cassl/masks";

describe("cassl/masks", () => {
  it("gives what it promises, and no more", () => {
    assert.deepEqual(Object.keys(masks).sort(), [
      "area",
      "decode",
      "decodeCounts",
      "encode",
      "encodeCounts",
      "fromBox",
      "fromCompressed",
      "fromPolygon",
      "fromSegmentation",
      "fromUncompressed",
      "intersection",
      "iou",
      "toBox",
      "toCompressed",
      "toUncompressed",
      "union",
    ]);
  });
});
