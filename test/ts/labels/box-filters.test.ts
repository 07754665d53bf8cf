import assert from "node:assert/strict";
import fc from "fast-check";
import { keepInside, keepMasksOutsideCrowds, keepOutsideCrowds, keepSizes } from "../../../ts/labels/box-filters.js";
import { fromBox } from "../../../ts/masks/index.js";
import { columnsOf, scoredBoxes } from "./random-boxes.js";

const boxes = (...corners: number[][]) => Float64Array.from(corners.flat());

describe("size filter", () => {
  const sized = boxes([0, 0, 4, 4], [0, 0, 2, 9], [0, 0, 5, 5], [3, 3, 3, 9]);

  it("keeps what is within the limits, which belong to it", () => {
    assert.deepEqual(keepSizes(sized, { minSide: 4 }), [0, 2]);
    assert.deepEqual(keepSizes(sized, { minArea: 18 }), [1, 2]);
    assert.deepEqual(keepSizes(sized, { maxArea: 18 }), [0, 1]);
    assert.deepEqual(keepSizes(sized, { maxAspect: 4 }), [0, 2]);
  });

  it("drops boxes of no area in any case", () => {
    assert.deepEqual(keepSizes(sized, {}), [0, 1, 2]);
  });

  it("drops nothing more the second time", () => {
    fc.assert(
      fc.property(scoredBoxes, fc.nat(8), (drawn, minSide) => {
        const kept = keepSizes(columnsOf(drawn).boxXyxy, { minSide }).map((index) => drawn[index] as (typeof drawn)[0]);
        assert.equal(keepSizes(columnsOf(kept).boxXyxy, { minSide }).length, kept.length);
      }),
    );
  });
});

describe("border filter", () => {
  it("drops what touches the border or comes nearer than the margin", () => {
    const image = { width_px: 20, height_px: 10 };
    const placed = boxes([0, 2, 5, 5], [2, 2, 5, 5], [2, 2, 20, 5], [2, 2, 5, 9]);
    assert.deepEqual(keepInside(placed, image), [1, 3]);
    assert.deepEqual(keepInside(placed, image, 1), [1]);
  });
});

describe("crowd filter", () => {
  const placed = [
    [0, 0, 10, 10],
    [5, 0, 15, 10],
    [6, 0, 16, 10],
  ];
  const crowd = [0, 0, 10, 40];

  it("drops boxes of which a crowd covers more than half, however large the crowd", () => {
    assert.deepEqual(keepOutsideCrowds(boxes(...placed), boxes(crowd)), [1, 2]);
    assert.deepEqual(keepOutsideCrowds(boxes(...placed), boxes(crowd), 0.45), [2]);
    assert.deepEqual(keepOutsideCrowds(boxes(...placed), boxes()), [0, 1, 2]);
  });

  it("judges masks as it judges boxes where they are boxes", () => {
    const toMask = ([left = 0, top = 0, right = 0, bottom = 0]: number[]) =>
      fromBox([left, top, right - left, bottom - top], 40, 40);
    for (const share of [0.45, 0.5, 0.9]) {
      assert.deepEqual(
        keepMasksOutsideCrowds(placed.map(toMask), [toMask(crowd)], share),
        keepOutsideCrowds(boxes(...placed), boxes(crowd), share),
      );
    }
  });
});
