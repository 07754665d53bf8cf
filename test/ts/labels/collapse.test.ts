import assert from "node:assert/strict";
import { seededRandom } from "../../../ts/core/random.js";
import { type Collapse, measureCollapse } from "../../../ts/labels/collapse.js";

const LIMIT = 0.3;

/** Boxes around a center, in shares of the image. @param spread of centers. @param jitter of sizes, as a share of them. */
function boxesOf(count: number, seed: number, spread: number, jitter: number): number[][] {
  const random = seededRandom(seed);
  const around = (value: number, range: number) => value + range * (random() - 0.5);
  return Array.from({ length: count }, () => {
    const [x, y, side] = [around(0.5, spread), around(0.5, spread), around(0.2, 0.2 * jitter)];
    return [x - side / 2, y - side / 2, x + side / 2, y + side / 2];
  });
}

const excess = (best: number[][], groundTruth: number[][][]): number => {
  const measured = measureCollapse(
    Float64Array.from(best.flat()),
    groundTruth.map((boxes) => Float64Array.from(boxes.flat())),
  ) as Collapse;
  return measured.predicted - measured.groundTruth;
};
const single = (boxes: number[][]) => boxes.map((box) => [box]);

describe("collapse", () => {
  const everywhere = boxesOf(30, 1, 0.8, 1);
  const same = boxesOf(200, 2, 0.01, 0.02);

  it("is found where one box is predicted in every image of objects that are everywhere", () => {
    assert.ok(excess(same, single(everywhere)) > LIMIT);
  });

  it("is found in crowded images too", () => {
    const crowded = Array.from({ length: 30 }, (_, image) => boxesOf(13, image, 0.8, 1));
    assert.ok(excess(same, crowded) > LIMIT);
    assert.ok(excess(boxesOf(200, 3, 0.8, 1), crowded) < LIMIT / 3);
  });

  it("is not found in predictions that move as the objects do", () => {
    assert.ok(excess(boxesOf(200, 3, 0.8, 1), single(everywhere)) < LIMIT / 3);
  });

  it("is not found where the objects themselves always stand in the middle, even if predictions vary less", () => {
    const centered = boxesOf(30, 4, 0.06, 0.5);
    assert.ok(excess(same, single(centered)) < LIMIT);
    assert.ok(excess(boxesOf(200, 5, 0.04, 0.3), single(centered)) < LIMIT / 2);
  });

  it("is not looked for in so few images that one box fits them by chance", () => {
    const [few, enough] = [9, 10].map((count) => Float64Array.from(boxesOf(count, 6, 0.8, 1).flat())) as [
      Float64Array,
      Float64Array,
    ];
    const many = single(everywhere).map((boxes) => Float64Array.from(boxes.flat()));
    assert.equal(measureCollapse(few, many), undefined);
    assert.ok(measureCollapse(enough, many.slice(0, 10)) !== undefined);
    assert.equal(measureCollapse(Float64Array.from(same.flat()), many.slice(0, 9)), undefined);
  });
});
