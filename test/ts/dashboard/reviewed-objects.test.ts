import assert from "node:assert/strict";
import { fromReviewed, toReviewed } from "../../../ts/dashboard/view/reviewed-objects.js";

const MASK = { counts: "abc", path: "M0 0h1V1h-1z", box_xywh: [10, 10, 20, 20] as const };

describe("masks of reviewed objects", () => {
  it("stay with a box that still fits them, and go with one that does not", () => {
    const object = { category_id: 3, offered: MASK };
    assert.deepEqual(toReviewed({ ...object, box_xywh: [9, 10, 21, 22] }), {
      box_xywh: [9, 10, 21, 22],
      category_id: 3,
      mask: "abc",
    });
    assert.deepEqual(toReviewed({ ...object, box_xywh: [10, 10, 40, 20] }), {
      box_xywh: [10, 10, 40, 20],
      category_id: 3,
    });
  });

  it("come back with a box that was corrected too far and then put back", () => {
    const moved = { box_xywh: [60, 60, 20, 20] as const, offered: MASK };
    assert.equal(toReviewed(moved).mask, undefined);
    assert.equal(toReviewed({ ...moved, box_xywh: [11, 10, 20, 20] }).mask, "abc");
  });

  it("are known again in what was reviewed before", () => {
    const reviewed = { box_xywh: [11, 10, 20, 20] as const, category_id: 3, mask: "abc" };
    const edited = fromReviewed(reviewed, [null, MASK]);
    assert.deepEqual(edited, { box_xywh: reviewed.box_xywh, category_id: 3, offered: MASK });
    assert.deepEqual(toReviewed(edited), reviewed);
    assert.deepEqual(fromReviewed({ box_xywh: [0, 0, 5, 5] }, [null, MASK]), { box_xywh: [0, 0, 5, 5] });
  });
});
