import assert from "node:assert/strict";
import fc from "fast-check";
import { type BoxXywh, boxIou, clipXywh, toXywh, toXyxy } from "../../../ts/core/boxes.js";

/** Multiples of 1/8, so that sums and differences are exact. */
const eighths = (min: number, max: number) => fc.integer({ min: min * 8, max: max * 8 }).map((value) => value / 8);
const box = fc.tuple(eighths(-50, 150), eighths(-50, 150), eighths(1, 100), eighths(1, 100)) as fc.Arbitrary<BoxXywh>;

describe("boxes", () => {
  it("turn from xywh to xyxy and back", () => {
    fc.assert(fc.property(box, (xywh) => assert.deepEqual(toXywh(toXyxy(xywh)), xywh)));
  });

  it("have an IoU of 1 with themselves, and the same one both ways round", () => {
    fc.assert(
      fc.property(box, box, (a, b) => {
        assert.equal(boxIou(toXyxy(a), toXyxy(a)), 1);
        assert.equal(boxIou(toXyxy(a), toXyxy(b)), boxIou(toXyxy(b), toXyxy(a)));
      }),
    );
  });

  it("share a third of their union when they overlap by half", () => {
    assert.equal(boxIou([0, 0, 10, 10], [5, 0, 15, 10]), 50 / 150);
  });

  it("have an IoU of 0 when they touch, are apart or are of no area", () => {
    assert.equal(boxIou([0, 0, 10, 10], [10, 0, 20, 10]), 0);
    assert.equal(boxIou([0, 0, 10, 10], [30, 30, 40, 40]), 0);
    assert.equal(boxIou([5, 5, 5, 5], [5, 5, 5, 5]), 0);
  });

  it("are clipped into the image, once and for all", () => {
    fc.assert(
      fc.property(box, (xywh) => {
        const clipped = clipXywh(xywh, 100, 80);
        const [left, top, right, bottom] = toXyxy(clipped);
        assert.ok(left >= 0 && top >= 0 && right <= 100 && bottom <= 80 && clipped[2] >= 0 && clipped[3] >= 0);
        assert.deepEqual(clipXywh(clipped, 100, 80), clipped);
      }),
    );
  });

  it("inside the image are left alone by clipping", () => {
    assert.deepEqual(clipXywh([10, 20, 30, 40], 100, 80), [10, 20, 30, 40]);
  });
});
