import assert from "node:assert/strict";
import fc from "fast-check";
import { seededRandom } from "../../../../ts/core/random.js";
import { drawSplits, type SplitImage } from "../../../../ts/data/splits/draw-splits.js";

/** Class 0 in most images, class 1 in some, class 2 in one of a hundred; every fifth image is without objects. */
function images(count: number): SplitImage[] {
  const random = seededRandom(1);
  return Array.from({ length: count }, (_, id) => {
    const classes = [0, 1, 2].filter((index) => id % 5 !== 0 && random() < [0.8, 0.2, 0.01][index]!);
    return { id, classes, group: id };
  });
}

const inGroupsOf = (size: number, all: SplitImage[]): SplitImage[] =>
  all.map((image) => ({ ...image, group: `group ${Math.floor(image.id / size)}` }));

describe("drawing splits", () => {
  it("gives each size in each fold its share of the images, smaller ones within larger ones", () => {
    const splits = drawSplits(images(1000), [10, 1, 2, 5], 5, 0);
    assert.deepEqual(
      splits.map(({ percent, fold, image_ids }) => [percent, fold, image_ids.length]),
      [0, 1, 2, 3, 4].flatMap((fold) => [1, 2, 5, 10].map((percent) => [percent, fold, percent * 10])),
    );
    for (const { percent, fold, image_ids } of splits) {
      const larger = splits.find((other) => other.fold === fold && other.percent > percent)?.image_ids ?? image_ids;
      assert.ok(image_ids.every((id) => larger.includes(id)));
      assert.deepEqual(
        image_ids,
        [...new Set(image_ids)].sort((a, b) => a - b),
      );
    }
  });

  it("draws the same for the same seed whatever the order of the images, and others in other folds and for other seeds", () => {
    const draw = (from: SplitImage[], seed: number) => drawSplits(from, [5], 2, seed).map(({ image_ids }) => image_ids);
    const [first, second] = draw(images(400), 7);
    assert.deepEqual(draw(images(400).reverse(), 7), [first, second]);
    assert.notDeepEqual(first, second);
    assert.notDeepEqual(draw(images(400), 8), [first, second]);
  });

  it("has every class in every split that is large enough, however rare", () => {
    const all = images(1000);
    for (const { image_ids } of drawSplits(all, [0.3, 1], 10, 3)) {
      const classes = new Set(image_ids.flatMap((id) => all[id]?.classes ?? []));
      assert.deepEqual([...classes].sort(), [0, 1, 2]);
    }
  });

  it("has as many images without objects as there are, about, in a large split", () => {
    const all = images(1000);
    const [split] = drawSplits(all, [50], 1, 0);
    const without = split?.image_ids.filter((id) => id % 5 === 0).length ?? 0;
    assert.ok(without > 60 && without < 140, `${without} of about 100`);
  });

  it("never tears a group apart, and has no more images than its share but for one group", () => {
    fc.assert(
      fc.property(
        fc.nat(1000),
        fc.integer({ min: 1, max: 9 }),
        fc.constantFrom(1, 3, 10, 60),
        (seed, size, percent) => {
          const all = inGroupsOf(size, images(90));
          const [split] = drawSplits(all, [percent], 1, seed);
          const taken = new Set(split?.image_ids);
          const groups = new Map(all.map(({ id, group }) => [group, taken.has(id)]));
          assert.ok(all.every(({ id, group }) => groups.get(group) === taken.has(id)));
          assert.ok(taken.size > 0 && taken.size <= Math.max(Math.round(0.9 * percent), size));
        },
      ),
    );
  });

  it("takes all for a hundred per cent, and one for almost nothing", () => {
    assert.equal(drawSplits(images(77), [100], 1, 0)[0]?.image_ids.length, 77);
    assert.equal(drawSplits(images(77), [0.01], 1, 0)[0]?.image_ids.length, 1);
  });
});
