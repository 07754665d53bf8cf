import assert from "node:assert/strict";
import fc from "fast-check";
import { sortByKey, sortByScore } from "../../../../ts/evaluation/coco/sorting.js";

describe("sortByKey", () => {
  it("sorts rows by key, keeps the order of equal ones and leaves out negative keys", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -1, max: 5 })), (keys) => {
        const rows = keys.map((_, row) => row).reverse();
        const kept = rows.filter((row) => (keys[row] as number) >= 0);
        const expected = kept.sort((a, b) => (keys[a] as number) - (keys[b] as number));
        assert.deepEqual([...sortByKey(Int32Array.from(rows), Int32Array.from(keys), 6)], expected);
      }),
    );
  });
});

describe("sortByScore", () => {
  const scores = fc.oneof(
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.constantFrom(0, -0, 0.5, 1, 0.1 + 0.2, 0.3),
  );

  it("sorts rows by descending score and keeps the order of equal ones, 0 and -0 among them", () => {
    fc.assert(
      fc.property(fc.array(scores), (values) => {
        const rows = values.map((_, row) => row).reverse();
        const expected = [...rows].sort((a, b) => (values[b] as number) - (values[a] as number));
        assert.deepEqual([...sortByScore(Int32Array.from(rows), Float64Array.from(values))], expected);
      }),
    );
  });

  it("sorts scores that differ in their last bits only", () => {
    const rows = Int32Array.from({ length: 300 }, (_, row) => row);
    const falling = [...rows].reverse();
    assert.deepEqual(
      [
        ...sortByScore(
          rows,
          Float64Array.from(rows, (row) => 0.5 + row * 2 ** -52),
        ),
      ],
      falling,
    );
    assert.deepEqual(
      [
        ...sortByScore(
          rows,
          Float64Array.from(rows, (row) => -0.5 + row * 2 ** -52),
        ),
      ],
      falling,
    );
  });
});
