import assert from "node:assert/strict";
import fc from "fast-check";
import {
  encode,
  fromCompressed,
  fromPolygon,
  fromSegmentation,
  fromUncompressed,
  type Segmentation,
  toCompressed,
  toUncompressed,
  union,
} from "../../../ts/masks/index.js";
import { readSegmentation } from "../../../ts/masks/segmentation.js";
import { bitmaps } from "./bitmaps.js";
import { refuses } from "./refuses.js";

describe("fromSegmentation", () => {
  it("reads runs as it has written them", () => {
    fc.assert(
      fc.property(bitmaps, (bitmap) => {
        const mask = encode(bitmap);
        assert.deepEqual(fromCompressed(toCompressed(mask)), mask);
        assert.deepEqual(fromUncompressed(toUncompressed(mask)), mask);
        assert.deepEqual(fromSegmentation(toCompressed(mask), bitmap.width, bitmap.height), mask);
        assert.deepEqual(fromSegmentation(toUncompressed(mask), bitmap.width, bitmap.height), mask);
      }),
    );
  });

  it("covers with several polygons what each covers", () => {
    const polygons = [
      [0, 0, 0, 3, 3, 3, 3, 0],
      [2, 2, 2, 5, 5, 5],
    ];
    const masks = polygons.map((polygon) => fromPolygon(polygon, 6, 6));
    assert.deepEqual(fromSegmentation(polygons, 6, 6), union(masks));
  });

  it("needs both sides of the image for polygons, and neither for runs", () => {
    const polygon = [[0, 0, 0, 3, 3, 3]];
    for (const [width, height] of [
      [NaN, NaN],
      [4, NaN],
      [NaN, 4],
    ] as const)
      refuses(() => readSegmentation(polygon, width, height), /size of the image, which is not known/);
    assert.deepEqual(readSegmentation({ size: [2, 1], counts: [1, 1] }, NaN, NaN).counts, Uint32Array.of(1, 1));
  });

  const broken: [string, unknown, RegExp][] = [
    ["nothing", undefined, /segmentation undefined is no mask/],
    ["no polygons", [], /segmentation \[\] is no mask/],
    ["numbers without a polygon around them", [1, 2, 3, 4, 5, 6], /\[1,2,3,4,5,6\] is no mask/],
    ["a polygon of two corners", [[1, 2, 3, 4]], /4 numbers/],
    ["a polygon of texts", [["1", "2", "3", "4", "5", "6"]], /coordinate "1"/],
    ["runs without a size", { counts: "04" }, /is no mask/],
    ["a size that is no number", { size: ["2", 2], counts: [4] }, /is no mask/],
    ["runs of another image", { size: [1, 4], counts: [4] }, /4x1 px does not fit an image of 2x2 px/],
    ["runs beyond the image", { size: [2, 2], counts: "5" }, /5 px do not fill/],
    ["runs that end too early", { size: [2, 2], counts: [1, 2] }, /3 px do not fill/],
    ["a run of less than nothing", { size: [2, 2], counts: [5, -1] }, /length 5/],
    ["a run of half a pixel", { size: [2, 2], counts: [3.5, 0.5] }, /length 3.5/],
    ["a run that is a text", { size: [2, 2], counts: ["4"] }, /length 4/],
  ];
  for (const [what, segmentation, message] of broken) {
    it(`refuses ${what}`, () => refuses(() => fromSegmentation(segmentation as Segmentation, 2, 2), message));
  }
});
