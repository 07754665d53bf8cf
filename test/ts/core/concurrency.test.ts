import assert from "node:assert/strict";
import { setImmediate as turn } from "node:timers/promises";
import { mapConcurrently } from "../../../ts/core/concurrency.js";

describe("mapConcurrently", () => {
  it("keeps the order of the items, and the limit", async () => {
    let underWay = 0;
    let most = 0;
    const doubled = await mapConcurrently([5, 1, 4, 2, 3], 2, async (item) => {
      most = Math.max(most, ++underWay);
      for (let turns = 0; turns < item; turns++) await turn();
      underWay--;
      return 2 * item;
    });
    assert.deepEqual(doubled, [10, 2, 8, 4, 6]);
    assert.equal(most, 2);
  });

  it("does nothing with no items", async () => {
    assert.deepEqual(await mapConcurrently([], 4, () => Promise.reject(new Error("called"))), []);
  });

  it("fails with the first failure and begins no further item", async () => {
    const begun: number[] = [];
    const work = async (item: number): Promise<void> => {
      begun.push(item);
      await turn();
      if (item === 2) throw new Error("two");
    };
    await assert.rejects(mapConcurrently([1, 2, 3, 4, 5, 6], 2, work), /two/);
    await turn();
    await turn();
    assert.ok(begun.length <= 3, `began ${begun.length} items`);
  });

  it("stops when the signal aborts", async () => {
    const abort = new AbortController();
    const begun: number[] = [];
    const work = async (item: number): Promise<void> => {
      begun.push(item);
      if (item === 2) abort.abort();
      await turn();
    };
    await assert.rejects(mapConcurrently([1, 2, 3, 4], 1, work, abort.signal), { name: "AbortError" });
    assert.deepEqual(begun, [1, 2]);
  });
});
