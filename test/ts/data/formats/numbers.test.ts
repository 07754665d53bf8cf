import assert from "node:assert/strict";
import { parseNumber, snapPx } from "../../../../ts/data/formats/numbers.js";

describe("a number of an annotation file", () => {
  it("is decimal, with or without sign, point and exponent", () => {
    const numbers = { "1": 1, "-2.5": -2.5, "+.5": 0.5, "3.": 3, "1e-3": 0.001, "2E2": 200 };
    for (const [text, value] of Object.entries(numbers)) assert.equal(parseNumber(text), value);
  });

  it("is none if it is empty, not finite, or written for machines", () => {
    for (const text of ["", " ", "NaN", "nan", "Infinity", "1e999", "0x10", "1,5", "1 2", "-", ".", "1_000", "one"]) {
      assert.equal(parseNumber(text), undefined, text);
    }
  });

  it("loses the noise of arithmetic when it is snapped", () => {
    assert.equal(snapPx(0.041 * 500 - 0.078 * 250), 1);
    assert.equal(snapPx(123.4567891), 123.456789);
    assert.ok(Object.is(snapPx(-1e-9), 0));
  });
});
