import assert from "node:assert/strict";
import { CasslError } from "../../../ts/core/errors.js";

export function refuses(work: () => unknown, message: RegExp): void {
  assert.throws(work, (error) => {
    return error instanceof CasslError && error.reason === "ANNOTATIONS_INVALID" && message.test(error.message);
  });
}
