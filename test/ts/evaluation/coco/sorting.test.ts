import assert from "node:assert/strict";
import fc from "fast-check";
import { scoreRanks, sortStable } from "../../../../ts/evaluation/coco/sorting.js";

describe("sortStable", () => {
  it("sorts rows by key and keeps the order of equal ones", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(5)), (keys) => {
        const rows = keys.map((_, row) => row).reverse();
        const expected = [...rows].sort((a, b) => (keys[a] as number) - (keys[b] as number));
        assert.deepEqual([...sortStable(Int32Array.from(rows), Int32Array.from(keys), 6)], expected);
      }),
    );
  });
});

describe("scoreRanks", () => {
  it("gives equal scores one rank, takes -0 for 0 and puts NaN last", () => {
    assert.deepEqual([...scoreRanks(Float64Array.of(0, 0.5, NaN, 1, -0, 0.5, -1, NaN))], [2, 1, 4, 0, 2, 1, 3, 4]);
  });

  it("ranks nothing", () => {
    assert.equal(scoreRanks(new Float64Array(0)).length, 0);
  });
});
