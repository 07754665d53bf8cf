import assert from "node:assert/strict";
import fc from "fast-check";
import { nms, suppressOverlaps } from "../../../ts/core/nms.js";
import { maskPairIou } from "../../../ts/labels/mask-pair-iou.js";
import { encode, fromBox } from "../../../ts/masks/index.js";
import { columnsOf, scoredBoxes } from "./random-boxes.js";

describe("NMS by mask IoU", () => {
  it("keeps what NMS of boxes keeps where masks are boxes", () => {
    fc.assert(
      fc.property(scoredBoxes, fc.nat(9), (drawn, tenths) => {
        const { boxXyxy, score, classIndex } = columnsOf(drawn);
        const masks = drawn.map(({ box: [left, top, right, bottom] }) =>
          fromBox([left, top, right - left, bottom - top], 40, 40),
        );
        assert.deepEqual(
          suppressOverlaps(maskPairIou(masks), score, classIndex, tenths / 10),
          nms(boxXyxy, score, classIndex, tenths / 10),
        );
      }),
    );
  });

  it("keeps two triangles of one box", () => {
    const triangle = (isInside: (x: number, y: number) => boolean) =>
      encode({
        width: 9,
        height: 9,
        data: Uint8Array.from({ length: 81 }, (_, at) => Number(isInside(at % 9, Math.floor(at / 9)))),
      });
    const masks = [triangle((x, y) => x > y), triangle((x, y) => x < y)];
    assert.deepEqual(suppressOverlaps(maskPairIou(masks), new Float64Array([0.5, 0.9]), undefined, 0.1), [1, 0]);
  });

  it("refuses masks of different images", () => {
    assert.throws(() => maskPairIou([fromBox([0, 0, 2, 2], 9, 9), fromBox([0, 0, 2, 2], 8, 9)]), {
      reason: "ANNOTATIONS_INVALID",
      message: /9x9 .*8x9/,
    });
  });
});
