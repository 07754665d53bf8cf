import assert from "node:assert/strict";
import fc from "fast-check";
import { barChart, dotChart, lineChart, niceTicks } from "../../../ts/report/charts.js";
import { assertWellFormed } from "./well-formed.js";

describe("charts", () => {
  it("puts ticks at round numbers up to the largest value", () => {
    assert.deepEqual(niceTicks(0.7, 4), [0, 0.2, 0.4, 0.6, 0.8]);
    assert.deepEqual(niceTicks(300, 5), [0, 100, 200, 300]);
    assert.deepEqual(niceTicks(0, 4), [0, 0.5, 1]);
  });

  it("has few ticks that reach the value, whatever it is", () => {
    fc.assert(
      fc.property(fc.double({ min: 1e-9, max: 1e9, noNaN: true }), fc.integer({ min: 2, max: 8 }), (max, count) => {
        const ticks = niceTicks(max, count);
        assert.ok(ticks.length <= count + 1, String(ticks));
        assert.ok((ticks.at(-1) as number) >= max * (1 - 1e-6));
      }),
    );
  });

  it("draws lines and bars of any values as well-formed SVG without NaN", () => {
    const value = fc.oneof(fc.constant(0), fc.double({ min: 1e-9, max: 1e6, noNaN: true }));
    const values = fc.array(value, { maxLength: 5 });
    fc.assert(
      fc.property(values, (numbers) => {
        const line = lineChart({
          title: "<loss>",
          series: [{ name: "total", points: numbers.map((value, index) => [index, value]) }],
        });
        const bars = barChart({ title: "AP", groups: [{ name: "AP", values: [...numbers, -1] }], format: String });
        const dots = dotChart({
          title: "AP",
          groups: [{ name: "arm", values: numbers }],
          reference: { name: "supervised", values: [1] },
        });
        for (const { html } of [line, bars, dots]) {
          assertWellFormed(html);
          assert.doesNotMatch(html, /NaN|Infinity/);
        }
      }),
    );
  });
});
