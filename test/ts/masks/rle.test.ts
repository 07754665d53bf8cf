import assert from "node:assert/strict";
import fc from "fast-check";
import { area, decode, encode, type Rle, toBox } from "../../../ts/masks/index.js";
import { bitmaps } from "./bitmaps.js";
import { refuses } from "./refuses.js";

describe("encode and decode", () => {
  it("give back every bitmap", () => {
    fc.assert(fc.property(bitmaps, (bitmap) => assert.deepEqual(decode(encode(bitmap)), bitmap)));
  });

  it("read columns from top to bottom, from left to right", () => {
    const bitmap = { width: 3, height: 2, data: Uint8Array.of(0, 1, 1, 0, 1, 0) };
    assert.deepEqual([...encode(bitmap).counts], [2, 3, 1]);
  });

  it("take any byte but 0 for inside", () => {
    assert.deepEqual([...encode({ width: 3, height: 1, data: Uint8Array.of(255, 7, 0) }).counts], [0, 2, 1]);
  });

  it("refuse a bitmap of the wrong size and runs that do not fill the image", () => {
    refuses(() => encode({ width: 2, height: 2, data: new Uint8Array(3) }), /2x2 px has 3 bytes/);
    refuses(() => encode({ width: 1.5, height: 2, data: new Uint8Array(3) }), /1.5x2 px/);
    refuses(() => decode(rleOf([1, 2])), /3 px do not fill .* 2x2 px/);
    refuses(() => decode(rleOf([1, 4])), /5 px do not fill .* 2x2 px/);
  });
});

describe("area and toBox", () => {
  it("are those of the pixels", () => {
    fc.assert(
      fc.property(bitmaps, (bitmap) => {
        const inside = [...bitmap.data.keys()].filter((at) => bitmap.data[at] === 1);
        const mask = encode(bitmap);
        assert.equal(area(mask), inside.length);
        assert.deepEqual([...toBox(mask)], boxOf(inside, bitmap.width));
      }),
    );
  });

  it("count empty runs as nothing", () => {
    const mask = rleOf([0, 0, 2, 1, 0, 0, 1]);
    assert.equal(area(mask), 1);
    assert.deepEqual([...toBox(mask)], [1, 0, 1, 1]);
  });

  it("give a mask of only empty runs of ones pycocotools' box", () => {
    assert.deepEqual([...toBox(rleOf([4, 0]))], [2, 2, 2 ** 32 - 1, 2 ** 32 - 1]);
  });
});

function rleOf(counts: number[]): Rle {
  return { width: 2, height: 2, counts: Uint32Array.from(counts) };
}

function boxOf(inside: number[], width: number): number[] {
  if (inside.length === 0) return [0, 0, 0, 0];
  const xs = inside.map((at) => at % width);
  const ys = inside.map((at) => Math.floor(at / width));
  const [left, top] = [Math.min(...xs), Math.min(...ys)];
  return [left, top, Math.max(...xs) - left + 1, Math.max(...ys) - top + 1];
}
