import assert from "node:assert/strict";
import { drawImages, quantile } from "../../../ts/core/bootstrap.js";
import { seededRandom } from "../../../ts/core/random.js";

describe("the bootstrap over images", () => {
  it("draws as many images as there are, some of them several times", () => {
    const weights = drawImages(100, seededRandom(1));
    assert.equal(
      weights.reduce((sum, weight) => sum + weight, 0),
      100,
    );
    assert.ok(weights.includes(0) && Math.max(...weights) > 1);
  });

  it("has quantiles that are linear between the values", () => {
    const values = Float64Array.of(0, 10, 30);
    assert.deepEqual(
      [0, 0.25, 0.5, 0.8, 1].map((share) => Math.round(1e9 * quantile(values, share)) / 1e9),
      [0, 5, 10, 22, 30],
    );
  });
});
