import assert from "node:assert/strict";
import { exitCodeOf } from "../../../ts/cli/exit-code.js";
import { describeFailure, failureJson } from "../../../ts/cli/failure.js";
import { CasslError } from "../../../ts/core/errors.js";

describe("failure", () => {
  it("has an exit code by its reason", () => {
    assert.deepEqual(
      (
        [
          "CONFIG_INVALID",
          "IMAGE_INVALID",
          "GATE_FAILED",
          "CANCELLED",
          "WORKER_FAILED",
          "INTERRUPTED",
          "INTERNAL",
        ] as const
      ).map(exitCodeOf),
      [2, 2, 3, 130, 1, 1, 1],
    );
  });

  it("is told with message and remedy, without a stack", () => {
    const error = new CasslError("FILE_NOT_FOUND", "a.json is missing.", "Correct the path.");
    assert.equal(describeFailure(error, false), "error: a.json is missing.\n  Correct the path.");
    assert.match(describeFailure(error, true), /reason FILE_NOT_FOUND, at\n.*\n +at /);
    assert.deepEqual(JSON.parse(failureJson(error)), {
      error: { reason: "FILE_NOT_FOUND", message: "a.json is missing.", remedy: "Correct the path." },
    });
  });

  it("of cassl itself says where it is", () => {
    assert.match(
      describeFailure(CasslError.from(new TypeError("x is undefined")), false),
      /x is undefined.*failure\.test/s,
    );
  });
});
