import assert from "node:assert/strict";
import { settingsOf } from "../../../ts/dashboard/view/config-differences.js";

describe("settingsOf", () => {
  it("names every field by its path, and says which differ", () => {
    const settings = settingsOf([
      { name: "a", stages: { warmup: { iterations: 100 } }, arms: ["supervised"] },
      { name: "a", stages: { warmup: { iterations: 200 } }, arms: ["supervised"] },
    ]);
    assert.deepEqual(settings, [
      { path: "name", values: ["a", "a"], differs: false },
      { path: "stages.warmup.iterations", values: ["100", "200"], differs: true },
      { path: "arms", values: ["supervised", "supervised"], differs: false },
    ]);
  });

  it("takes lists as one value, and an empty one for what it is", () => {
    const [arms] = settingsOf([{ arms: ["one", "two"] }, { arms: [] }]);
    assert.deepEqual(arms, { path: "arms", values: ["one, two", "none"], differs: true });
  });

  it("has a field that only one of them has", () => {
    assert.deepEqual(settingsOf([{ data: { take: 20 } }, { data: {} }, { data: { take: undefined } }]), [
      { path: "data.take", values: ["20", "", ""], differs: true },
    ]);
  });
});
