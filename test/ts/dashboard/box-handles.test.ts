import assert from "node:assert/strict";
import fc from "fast-check";
import { HANDLES, handlePoint, LEAST_SIDE_PX, moveHandle } from "../../../ts/dashboard/view/box-handles.js";

const SIZE = { width_px: 100, height_px: 80 };
const BOX = [20, 10, 40, 30] as const;

describe("moveHandle", () => {
  it("moves the sides that a handle is at, and no other", () => {
    assert.deepEqual(moveHandle(BOX, "nw", 5, -4, SIZE), [25, 6, 35, 34]);
    assert.deepEqual(moveHandle(BOX, "e", 7, 99, SIZE), [20, 10, 47, 30]);
    assert.deepEqual(moveHandle(BOX, "s", 99, 7, SIZE), [20, 10, 40, 37]);
    assert.deepEqual(moveHandle(BOX, "middle", -3, 4, SIZE), [17, 14, 40, 30]);
  });

  it("stops at the border of the image and at the opposite side", () => {
    assert.deepEqual(moveHandle(BOX, "se", 500, 500, SIZE), [20, 10, 80, 70]);
    assert.deepEqual(moveHandle(BOX, "middle", 500, -500, SIZE), [60, 0, 40, 30]);
    assert.deepEqual(moveHandle(BOX, "w", 500, 0, SIZE), [57, 10, LEAST_SIDE_PX, 30]);
  });

  it("leaves a box within the image, as large as a box must be, with its handle where it was moved to", () => {
    const side = fc.integer({ min: LEAST_SIDE_PX, max: 50 });
    const corner = fc.integer({ min: 0, max: 30 });
    const shift = fc.integer({ min: -200, max: 200 });
    fc.assert(
      fc.property(
        corner,
        corner,
        side,
        side,
        fc.constantFrom(...HANDLES),
        shift,
        shift,
        (x, y, w, h, handle, dx, dy) => {
          const [left, top, width, height] = moveHandle([x, y, w, h], handle, dx, dy, SIZE);
          assert.ok(left >= 0 && top >= 0 && left + width <= SIZE.width_px && top + height <= SIZE.height_px);
          assert.ok(width >= LEAST_SIDE_PX && height >= LEAST_SIDE_PX);
          const back = moveHandle([left, top, width, height], handle, 0, 0, SIZE);
          assert.deepEqual(back, [left, top, width, height]);
        },
      ),
    );
  });
});

describe("handlePoint", () => {
  it("is on the border of the box, or in its middle", () => {
    assert.deepEqual(
      HANDLES.map((handle) => handlePoint(BOX, handle).join(" ")),
      ["40 25", "20 10", "40 10", "60 10", "60 25", "60 40", "40 40", "20 40", "20 25"],
    );
  });
});
