import assert from "node:assert/strict";
import { createRunQueue } from "../../../ts/controller/run-queue.js";

describe("run queue", () => {
  it("gives the highest priority first, and what came first among equals", () => {
    const queue = createRunQueue();
    for (const [id, priority] of Object.entries({ a: 0, b: 5, c: 0, d: -1, e: 5 })) queue.add(id, priority);
    assert.deepEqual(["b", "e", "a", "c", "d", "z"].map(queue.positionOf), [1, 2, 3, 4, 5, undefined]);
    assert.equal(queue.remove("e"), true);
    assert.equal(queue.remove("e"), false);
    const order = Array.from({ length: queue.size() + 1 }, queue.next);
    assert.deepEqual(order, ["b", "a", "c", "d", undefined]);
  });
});
