import assert from "node:assert/strict";
import type { BoxXywh } from "../../../ts/core/boxes.js";
import { type BadBoxes, fitBox } from "../../../ts/data/box-policy.js";

const fitted = (box: BoxXywh, policy: BadBoxes) => fitBox(box, 64, 48, policy);
const policies = ["error", "clip", "drop"] as const;

describe("fitting a box into its image", () => {
  it("keeps a box inside, borders included, as it is", () => {
    for (const policy of policies) {
      assert.deepEqual(fitted([0, 0, 64, 48], policy), { outcome: "kept", box: [0, 0, 64, 48] });
      assert.deepEqual(fitted([3.3, 4.4, 5.5, 6.6], policy), { outcome: "kept", box: [3.3, 4.4, 5.5, 6.6] });
    }
  });

  it("clips up to a pixel of overhang under any policy, as rounding", () => {
    for (const policy of policies) {
      assert.deepEqual(fitted([-1, 0, 10, 10], policy), { outcome: "rounded", box: [0, 0, 9, 10] });
      assert.deepEqual(fitted([60, 40, 5, 8.5], policy), { outcome: "rounded", box: [60, 40, 4, 8] });
    }
  });

  it("treats more overhang as the policy says", () => {
    const box = [-1.5, 0, 10, 10] as const;
    assert.deepEqual(fitted(box, "error"), { outcome: "refused", fault: "reaches 1.5 px out of the image" });
    assert.deepEqual(fitted(box, "clip"), { outcome: "clipped", box: [0, 0, 8.5, 10] });
    assert.deepEqual(fitted(box, "drop"), { outcome: "dropped" });
  });

  it("leaves nothing of a box of no area, or of none inside the image", () => {
    const empty: [BoxXywh, RegExp][] = [
      [[5, 5, 0, 10], /has no area/],
      [[5, 5, 10, -3], /has no area/],
      [[200, 200, 10, 10], /lies outside/],
      [[64, 0, 0.5, 10], /lies outside/],
    ];
    for (const [box, fault] of empty) {
      const refused = fitted(box, "error");
      assert.match(refused.outcome === "refused" ? refused.fault : "", fault);
      assert.deepEqual([fitted(box, "clip"), fitted(box, "drop")], [{ outcome: "dropped" }, { outcome: "dropped" }]);
    }
  });
});
