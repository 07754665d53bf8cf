import assert from "node:assert/strict";
import fc from "fast-check";
import { decode, encode, intersection, type Rle, union } from "../../../ts/masks/index.js";
import { bitmapGroups, mergedPixels } from "./bitmaps.js";
import { refuses } from "./refuses.js";

describe("union and intersection", () => {
  it("are those of the pixels", () => {
    fc.assert(
      fc.property(bitmapGroups, (group) => {
        const masks = group.map(encode);
        assert.deepEqual(decode(union(masks)).data, mergedPixels(masks, "union"));
        assert.deepEqual(decode(intersection(masks)).data, mergedPixels(masks, "intersection"));
      }),
    );
  });

  it("leave a single mask as it is", () => {
    const mask = rleOf(2, [1, 0, 3]);
    assert.equal(union([mask]), mask);
  });

  it("go on where both masks have an empty run at the same pixel", () => {
    assert.deepEqual([...union([rleOf(2, [1, 0, 3]), rleOf(2, [1, 0, 1, 2])]).counts], [1, 0, 1, 2]);
  });

  it("refuse masks of different sizes, broken ones and none", () => {
    refuses(() => union([rleOf(2, [4]), rleOf(1, [2])]), /2x2 px and of 1x2 px/);
    refuses(() => intersection([]), /no masks/);
    refuses(() => union([rleOf(2, [4]), rleOf(2, [3])]), /3 px do not fill/);
  });
});

function rleOf(width: number, counts: number[]): Rle {
  return { width, height: 2, counts: Uint32Array.from(counts) };
}
