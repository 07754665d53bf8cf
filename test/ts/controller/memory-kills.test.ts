import assert from "node:assert/strict";
import { causeOfKill, memoryKills } from "../../../ts/controller/memory-kills.js";

describe("cause of a kill", () => {
  it("is lack of memory if the kernel has killed for that meanwhile", () => {
    assert.match(causeOfKill(3, 4), /for lack of memory meanwhile: most likely this/);
    assert.match(causeOfKill(3, 3), /has not killed/);
    assert.match(causeOfKill(undefined, 3), /Mostly/);
  });

  it("is read from the kernel, where it counts", () => {
    const count = memoryKills();
    assert.ok(count === undefined || (Number.isInteger(count) && count >= 0));
  });
});
