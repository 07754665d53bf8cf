import assert from "node:assert/strict";
import { encode, encodeCounts } from "../../../ts/masks/index.js";
import { maskPath } from "../../../ts/report/mask-path.js";

/** A picture of `#` for inside, row by row. */
function countsOf(...rows: string[]): string {
  const data = Uint8Array.from(rows.join(""), (pixel) => Number(pixel === "#"));
  return encodeCounts(encode({ width: rows[0]?.length ?? 0, height: rows.length, data }).counts);
}

describe("a mask as a path", () => {
  it("draws each run of each column, where runs go on from one column to the next", () => {
    const counts = countsOf(".#.", ".##", "#.#");
    assert.equal(maskPath(counts, 3, 1), "M0 2h1V3h-1zM1 0h1V2h-1zM2 1h1V3h-1z");
    assert.equal(maskPath(countsOf("##", "##"), 2, 1), "M0 0h1V2h-1zM1 0h1V2h-1z");
  });

  it("draws strips of several columns by their first", () => {
    assert.equal(maskPath(countsOf("####", ".###"), 2, 2), "M0 0h2V1h-2zM2 0h2V2h-2z");
  });

  it("draws nothing of an empty mask", () => {
    assert.equal(maskPath(countsOf("..", ".."), 2, 1), "");
  });
});
