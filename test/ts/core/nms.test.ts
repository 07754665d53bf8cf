import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { type BoxXyxy, boxIou } from "../../../ts/core/boxes.js";
import { nms } from "../../../ts/core/nms.js";
import { packageRoot } from "../../../ts/core/package.js";

interface GoldenCase {
  readonly name: string;
  readonly boxes_xyxy: number[][];
  readonly scores: number[];
  readonly groups: number[] | null;
  readonly iou_threshold: number;
  readonly kept: number[];
}

const golden = JSON.parse(readFileSync(join(packageRoot, "test/golden/nms.json"), "utf8")) as GoldenCase[];

describe("NMS", () => {
  for (const { name, boxes_xyxy, scores, groups, iou_threshold, kept } of golden) {
    it(`is that of torchvision: ${name}`, () => {
      const grouping = groups === null ? undefined : Int32Array.from(groups);
      assert.deepEqual(
        nms(Float64Array.from(boxes_xyxy.flat()), Float64Array.from(scores), grouping, iou_threshold),
        kept,
      );
    });
  }

  it("takes 32-bit floats too", () => {
    assert.deepEqual(
      nms(new Float32Array([0, 0, 10, 10, 1, 1, 10, 10]), new Float32Array([0.5, 0.75]), undefined, 0.5),
      [1],
    );
  });

  it("stops with the best when it may keep no more", () => {
    const apart = Float64Array.from([0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5]);
    const best = (most: number) => nms(apart, new Float64Array([0.2, 0.9, 0.5]), undefined, 0.5, most);
    assert.deepEqual([best(0), best(2), best(9)], [[], [1, 2], [1, 2, 0]]);
  });

  const side = fc.integer({ min: 1, max: 12 });
  const box = fc
    .tuple(fc.nat(20), fc.nat(20), side, side)
    .map(([x, y, width, height]): BoxXyxy => [x, y, x + width, y + height]);
  const scored = fc.array(fc.record({ box, score: fc.nat(8).map((eighths) => eighths / 8), group: fc.nat(1) }), {
    maxLength: 30,
  });
  const threshold = fc.integer({ min: 0, max: 10 }).map((tenths) => tenths / 10);

  it("keeps boxes that do not overlap, and drops those that a better kept one overlaps", () => {
    fc.assert(
      fc.property(scored, threshold, (items, limit) => {
        const kept = nms(
          Float64Array.from(items.flatMap((item) => item.box)),
          Float64Array.from(items, (item) => item.score),
          Int32Array.from(items, (item) => item.group),
          limit,
        );
        const at = (index: number) => items[index] as (typeof items)[number];
        const rivals = (index: number): number[] =>
          kept.filter(
            (other) =>
              other !== index && at(other).group === at(index).group && boxIou(at(other).box, at(index).box) > limit,
          );
        const isBetter = (one: number, other: number): boolean =>
          at(one).score > at(other).score || (at(one).score === at(other).score && one < other);
        for (const index of items.keys()) {
          if (kept.includes(index)) assert.deepEqual(rivals(index), []);
          else assert.ok(rivals(index).some((rival) => isBetter(rival, index)));
        }
        assert.ok(kept.every((index, rank) => rank === 0 || isBetter(kept[rank - 1] as number, index)));
      }),
    );
  });
});
