import assert from "node:assert/strict";
import * as cassl from "../../ts/index.js";

describe("the package", () => {
  it("gives what it promises, and no more", () => {
    assert.deepEqual(Object.keys(cassl).sort(), [
      "CasslError",
      "FALSE_POSITIVE",
      "IGNORED",
      "State",
      "TRUE_POSITIVE",
      "bestThresholds",
      "calibrate",
      "classifyErrors",
      "compareClassAwareness",
      "compareModels",
      "confusedPairs",
      "confusionMatrix",
      "connect",
      "createEvaluator",
      "diagnose",
      "errorKinds",
      "evaluateCoco",
      "parseConfig",
      "parseConfigText",
      "precisionRecallCurves",
      "readAnnotations",
      "selectFromImage",
      "selectPseudoLabels",
      "splitErrors",
      "toClassAgnostic",
      "toRunConfig",
      "vocAveragePrecision",
      "withOracleClasses",
      "worstImages",
    ]);
  });
});
