import assert from "node:assert/strict";
import { CasslError, cancelled, fromErrorDetail, toErrorDetail } from "../../../ts/core/errors.js";

describe("CasslError", () => {
  it("goes through an ErrorDetail and comes back the same", () => {
    const error = new CasslError("DATASET_EMPTY", "The labeled set has no images.", "Add some.");
    const back = fromErrorDetail(toErrorDetail(error));
    assert.deepEqual([back.reason, back.message, back.remedy], [error.reason, error.message, error.remedy]);
  });

  it("makes a fault of ours INTERNAL and keeps its stack through an ErrorDetail", () => {
    const detail = toErrorDetail(new TypeError("x is not a function"));
    const back = fromErrorDetail(detail);
    assert.equal(back.reason, "INTERNAL");
    assert.match(detail.trace, /errors\.test/);
    assert.equal((back.cause as Error).message, detail.trace);
  });

  it("sends no stack of an expected error", () => {
    const error = new CasslError("CONFIG_INVALID", "bad", "correct it", { cause: new Error("inner") });
    assert.equal(toErrorDetail(error).trace, "");
  });

  it("takes an aborted signal for a cancellation, and what is no error for INTERNAL", () => {
    assert.equal(CasslError.from(AbortSignal.abort().reason).reason, cancelled().reason);
    assert.equal(CasslError.from("text").message, "text");
  });
});
