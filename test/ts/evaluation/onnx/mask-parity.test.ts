import assert from "node:assert/strict";
import { differingMaskPixels } from "../../../../ts/evaluation/onnx/mask-parity.js";
import type { Match, Row } from "../../../../ts/evaluation/onnx/parity-rows.js";
import { encode } from "../../../../ts/masks/index.js";

/** A detection whose mask has these columns of an image of 8x2 px. */
function rowWith(columns: readonly number[]): Row {
  const data = new Uint8Array(16);
  for (const x of columns) data[x] = data[8 + x] = 1;
  return { box: [0, 0, 8, 2], score: 0.5, classIndex: 0, mask: encode({ width: 8, height: 2, data }) };
}

describe("differingMaskPixels", () => {
  it("is the share of the pixels of either mask that are in one only, over all detections", () => {
    const matches: Match[] = [
      { expected: rowWith([0, 1, 2]), found: rowWith([1, 2, 3]) },
      { expected: rowWith([4, 5]), found: rowWith([4, 5]) },
    ];
    assert.equal(differingMaskPixels(matches), 4 / 12);
  });

  it("counts a mask that the model lacks as a whole, and a detection that it lacks not at all", () => {
    const { mask: _, ...bare } = rowWith([0]);
    const lacking: Match[] = [
      { expected: rowWith([0, 1]), found: bare },
      { expected: rowWith([3]), found: undefined },
    ];
    assert.equal(differingMaskPixels(lacking), 1);
    assert.equal(differingMaskPixels(lacking.slice(1)), null);
  });
});
