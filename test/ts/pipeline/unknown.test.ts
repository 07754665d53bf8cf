import assert from "node:assert/strict";
import { holdsUnknown, unknownValue } from "../../../ts/pipeline/unknown.js";

interface Model {
  readonly weights: { readonly sha256: string };
  readonly losses: readonly number[];
  describe(): string;
}

describe("an unknown value", () => {
  it("has members and elements that are unknown, and can be waited for", async () => {
    const model = await Promise.resolve(unknownValue<Model>());
    assert.ok(holdsUnknown(model));
    assert.ok(holdsUnknown({ deep: [{ weights: model.weights.sha256 }] }));
    assert.ok(holdsUnknown(model.describe()));
    assert.deepEqual([...model.losses], []);
  });

  it("is no number, and says so as text", () => {
    const model = unknownValue<Model>();
    assert.ok(Number.isNaN(Number(model.losses[0]) / 2));
    assert.equal(`${model.weights.sha256}`, "unknown");
  });

  it("is nothing that is known", () => {
    for (const value of [undefined, null, 0, "unknown", [], { a: { b: 1 } }, () => {}]) {
      assert.ok(!holdsUnknown(value));
    }
  });
});
