import assert from "node:assert/strict";
import { area, decode, fromBox, fromPolygon, toBox } from "../../../ts/masks/index.js";
import { refuses } from "./refuses.js";

describe("fromPolygon", () => {
  it("fills the pixels whose centers are inside", () => {
    const { data } = decode(fromPolygon([1, 1, 1, 3, 4, 3, 4, 1], 5, 4));
    assert.deepEqual([...data], [0, 0, 0, 0, 0, 0, 1, 1, 1, 0, 0, 1, 1, 1, 0, 0, 0, 0, 0, 0]);
  });

  it("leaves out what is outside the image, however far", () => {
    assert.equal(area(fromPolygon([-1e6, -1e6, 1e6, -1e6, 1e6, 1e6, -1e6, 1e6], 7, 5)), 35);
    assert.equal(area(fromPolygon([50, 1, 60, 1, 60, 9], 7, 5)), 0);
  });

  it("leaves holes where a polygon crosses itself twice", () => {
    const square = [0, 0, 0, 4, 4, 4, 4, 0];
    assert.equal(area(fromPolygon([...square, ...square], 4, 4)), 0);
  });

  it("refuses what is no polygon", () => {
    refuses(() => fromPolygon([1, 2, 3, 4], 9, 9), /4 numbers/);
    refuses(() => fromPolygon([1, 2, 3, 4, 5, 6, 7], 9, 9), /7 numbers/);
    refuses(() => fromPolygon([1, 2, 3, NaN, 5, 6], 9, 9), /NaN/);
    refuses(() => fromPolygon([1, 2, 3, 4, 5, -Infinity], 9, 9), /-Infinity/);
    refuses(() => fromPolygon([1, 2, 3, 4, 5, 1e9], 9, 9), /1000000000/);
    refuses(() => fromPolygon([1, 2, 3, 4, 5, 6], 9, -1), /9x-1 px/);
    refuses(() => fromPolygon([1, 2, 3, 4, 5, 6], 1e5, 1e5), /100000x100000 px/);
  });
});

describe("fromBox", () => {
  it("has the box that it was made of", () => {
    assert.deepEqual(toBox(fromBox([2, 1, 3, 4], 9, 9)), [2, 1, 3, 4]);
  });

  it("refuses numbers that are not finite", () => {
    refuses(() => fromBox([0, 0, Infinity, 1], 9, 9), /Infinity/);
  });
});
