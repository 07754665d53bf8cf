import assert from "node:assert/strict";
import fc from "fast-check";
import { CasslError } from "../../../../ts/core/errors.js";
import { readNumber } from "../../../../ts/core/json/number.js";
import { windowOn } from "./windows.js";

function numberIn(text: string, size?: number): number {
  const values = new Float64Array(1);
  const window = windowOn(`${text},`, size);
  readNumber(window, values, 0);
  assert.equal(window.bytes[window.position], 0x2c, `${text} is passed over`);
  return values[0] as number;
}

/** As they are written: digits, a point, an exponent, in every length. */
const written = fc
  .tuple(
    fc.constantFrom("", "-"),
    fc.stringMatching(/^(0|[1-9]\d{0,19})$/),
    fc.stringMatching(/^(\.\d{1,25})?$/),
    fc.stringMatching(/^([eE][+-]?\d{1,3})?$/),
  )
  .map((parts) => parts.join(""));

describe("readNumber", () => {
  it("reads doubles as JSON.parse does, to the last bit", () => {
    const double = fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => JSON.stringify(value));
    const score = fc.double({ min: 0, max: 1, noNaN: true }).map((value) => JSON.stringify(value));
    const pixels = fc.double({ min: -100, max: 10_000, noNaN: true }).map((value) => JSON.stringify(value));
    fc.assert(
      fc.property(fc.oneof(double, score, pixels, written), fc.nat(12), (text, size) => {
        assert.ok(Object.is(numberIn(text, size + 1), JSON.parse(text)), text);
      }),
      { numRuns: 20_000 },
    );
  });

  it("rounds what lies in the middle of two doubles to the even one, and what lies beside it to the nearer", () => {
    for (const text of [
      "9007199254740993",
      "0.90071992547409925",
      "0.900719925474099250",
      "4503599627370496.5",
      "4503599627370497.5",
      "4503599627370497.49",
      "4503599627370497.51",
      "450359962737049.651",
      "1.00000000000000011102230246251565",
      "0.500000000000000055",
      "0.50000000000000006",
      "999999999.999999999",
      "-0",
      "-0.0",
      "1e22",
      "1e23",
      "5e-324",
      "1e999",
    ]) {
      assert.ok(Object.is(numberIn(text), JSON.parse(text)), text);
    }
  });

  it("refuses what is no JSON number", () => {
    for (const text of ["-", "01", "-01", "1.", "1.e5", ".5", "+1", "1e", "1e+", "1.2.3", "--1", "1-2", "00"]) {
      assert.throws(() => numberIn(text), { name: "CasslError", reason: "ANNOTATIONS_INVALID" }, text);
    }
  });

  it("stops at what is no digit, be it the next character after 9", () => {
    const [window, values] = [windowOn("1:2,"), new Float64Array(1)];
    readNumber(window, values, 0);
    assert.deepEqual([values[0], window.position], [1, 1]);
  });

  it("says where the source ends within a number", () => {
    const isCut = (error: unknown): boolean => error instanceof CasslError && /byte/.test(error.message);
    assert.throws(() => readNumber(windowOn("1."), new Float64Array(1), 0), isCut);
  });
});
