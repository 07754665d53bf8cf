import assert from "node:assert/strict";
import * as cassl from "../../ts/index.js";

describe("the package", () => {
  it("gives what it promises, and no more", () => {
    assert.deepEqual(Object.keys(cassl).sort(), [
      "CasslError",
      "State",
      "connect",
      "createEvaluator",
      "evaluateCoco",
      "parseConfig",
      "parseConfigText",
      "selectFromImage",
      "selectPseudoLabels",
      "toClassAgnostic",
      "toRunConfig",
    ]);
  });
});
