import assert from "node:assert/strict";
import fc from "fast-check";
import { encode, iou, type Rle } from "../../../ts/masks/index.js";
import { bitmapGroups } from "./bitmaps.js";

describe("iou", () => {
  it("is that of the pixels", () => {
    fc.assert(
      fc.property(bitmapGroups, fc.boolean(), (bitmaps, iscrowd) => {
        const [dt, gt] = bitmaps.map(encode) as [Rle, Rle];
        assert.deepEqual([...iou([dt], [gt], [iscrowd])], [iouOfPixels(bitmaps[0]!.data, bitmaps[1]!.data, iscrowd)]);
      }),
    );
  });

  it("has a row for each detection", () => {
    const [left, right, both] = [rleOf([1, 0, 1]), rleOf([1, 1]), rleOf([0, 2])];
    assert.deepEqual([...iou([left, both], [right, both, both])], [0, 0, 0, 0.5, 1, 1]);
    assert.deepEqual([...iou([rleOf([0, 1, 1]), both], [right, both])], [0, 0.5, 0.5, 1]);
    assert.equal(iou([], [left]).length, 0);
  });

  it("is -1 for masks of different images, but 0 where their boxes do not meet", () => {
    const other: Rle = { width: 3, height: 1, counts: Uint32Array.of(1, 2) };
    assert.deepEqual([...iou([rleOf([0, 2]), rleOf([0, 1, 1])], [other])], [-1, 0]);
  });

  it("may be 0 below the lowest that counts, never from there on", () => {
    fc.assert(
      fc.property(bitmapGroups, fc.double({ min: 0, max: 1, noNaN: true }), (bitmaps, lowest) => {
        const masks = bitmaps.map(encode);
        const exact = iou(masks, masks);
        const kept = (value: number) => (value >= lowest ? value : 0);
        assert.deepEqual([...iou(masks, masks, [], lowest).map(kept)], [...exact.map(kept)]);
      }),
    );
  });

  it("counts up to an empty run that both masks have, as pycocotools does", () => {
    const dt: Rle = { width: 4, height: 1, counts: Uint32Array.of(0, 1, 1, 0, 0, 2) };
    const gt: Rle = { width: 4, height: 1, counts: Uint32Array.of(0, 2, 0, 1, 1) };
    assert.deepEqual([...iou([dt], [gt]), ...iou([dt], [gt], [true])], [0.5, 1 / 3]);
  });
});

/** A mask of an image of 2x1 px. */
function rleOf(counts: number[]): Rle {
  return { width: 2, height: 1, counts: Uint32Array.from(counts) };
}

function iouOfPixels(dt: Uint8Array, gt: Uint8Array, iscrowd: boolean): number {
  const shared = dt.filter((value, at) => value + (gt[at] as number) === 2).length;
  const either = dt.filter((value, at) => value + (gt[at] as number) > 0).length;
  return shared === 0 ? 0 : shared / (iscrowd ? dt.filter((value) => value === 1).length : either);
}
