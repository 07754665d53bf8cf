import assert from "node:assert/strict";
import fc from "fast-check";
import { fuseBoxes } from "../../../ts/labels/weighted-box-fusion.js";
import { goldenCases, toColumns } from "./golden-labels.js";
import { assertNear } from "./near.js";
import { columnsOf, scoredBoxes } from "./random-boxes.js";

describe("weighted box fusion", () => {
  goldenCases("fusion").forEach((golden, index) => {
    it(`is that of ensemble-boxes, case ${index}`, () => {
      const fused = fuseBoxes(golden.models.map(toColumns), golden.options);
      assert.deepEqual([...fused.classIndex], golden.expected.classIndex);
      // ensemble-boxes adds up in 32 bits.
      assertNear(fused.boxXyxy, golden.expected.boxXyxy, 2e-5);
      assertNear(fused.score, golden.expected.score, 1e-6);
    });
  });

  it("fuses a model with itself to what it is alone", () => {
    const apart = columnsOf([
      { box: [0, 0, 8, 8], score: 0.5, classIndex: 0 },
      { box: [20, 0, 28, 8], score: 0.25, classIndex: 1 },
    ]);
    assert.deepEqual(fuseBoxes([apart, apart]), apart);
  });

  it("trusts a box less that one of two models found", () => {
    const [found, none] = [columnsOf([{ box: [0, 0, 8, 8], score: 0.8, classIndex: 0 }]), columnsOf([])];
    assert.deepEqual([...fuseBoxes([found, none]).score], [0.4]);
    assert.deepEqual([...fuseBoxes([found, none], { confidence: "max" }).score], [0.8]);
  });

  it("leaves out boxes of no area, and divides by no score of 0", () => {
    const odd = columnsOf([
      { box: [3, 3, 3, 9], score: 0.9, classIndex: 0 },
      { box: [0, 0, 8, 8], score: 0, classIndex: 0 },
      { box: [0, 0, 8, 9], score: 0, classIndex: 0 },
    ]);
    assert.deepEqual([...fuseBoxes([odd]).boxXyxy], [0, 0, 8, 8]);
  });

  it("stays within the boxes that it fuses, whatever their order if no two scores are equal", () => {
    const distinct = fc.uniqueArray(
      fc.tuple(
        scoredBoxes.map((boxes) => boxes[0]),
        fc.integer({ min: 1, max: 999 }),
      ),
      {
        selector: ([, score]) => score,
        maxLength: 12,
      },
    );
    fc.assert(
      fc.property(distinct, fc.nat(), (drawn, turn) => {
        const boxes = drawn.flatMap(([box, score]) => (box === undefined ? [] : [{ ...box, score: score / 1000 }]));
        const turned = boxes.map((_, index) => boxes[(index + turn) % boxes.length] as (typeof boxes)[number]);
        const fused = fuseBoxes([columnsOf(boxes)]);
        assert.deepEqual(fuseBoxes([columnsOf(turned)]), fused);
        for (const [place, value] of fused.boxXyxy.entries()) {
          const sides = boxes.map(({ box }) => box[place % 4] as number);
          assert.ok(value >= Math.min(...sides) - 1e-9 && value <= Math.max(...sides) + 1e-9);
        }
      }),
    );
  });
});
