import assert from "node:assert/strict";
import type { CasslError, Reason } from "../../../ts/core/errors.js";

export function throwsCassl(work: () => unknown, reason: Reason, message: RegExp): void {
  assert.throws(work, (error: CasslError) => {
    assert.equal(error.reason, reason);
    assert.match(error.message, message);
    assert.notEqual(error.remedy, "");
    return true;
  });
}
