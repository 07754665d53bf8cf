import assert from "node:assert/strict";
import { makeSplits, missingClasses } from "../../../../ts/data/splits/make-splits.js";

const categories = ["cat", "dog", "fox"].map((name, index) => ({ id: 10 * index, name }));
const annotation = (class_index: number, iscrowd = false) => {
  return { box_xywh: [0, 0, 1, 1] as const, class_index, area: 1, iscrowd };
};
const images = Array.from({ length: 40 }, (_, id) => ({
  id,
  file_name: `${id}.jpg`,
  annotations: id % 4 === 0 ? [] : id === 1 ? [annotation(2, true)] : [annotation(id % 2), annotation(id % 2)],
}));
const coco = { categories, images };
const alone = ({ id }: { id: number }): number => id;
const options = { percents: [10, 50], folds: 2, seed: 4 };

describe("splits of an annotation file", () => {
  it("have names that tell how they were drawn", () => {
    const splits = makeSplits(coco, alone, options);
    assert.deepEqual(
      splits.map(({ name }) => name),
      ["10-percent-fold-0-seed-4", "50-percent-fold-0-seed-4", "10-percent-fold-1-seed-4", "50-percent-fold-1-seed-4"],
    );
    assert.deepEqual(
      splits.map(({ image_ids }) => image_ids.length),
      [4, 20, 4, 20],
    );
    assert.ok(splits.every((split) => !("classes" in split)));
  });

  it("of some classes are drawn from the images with objects of these", () => {
    const [split] = makeSplits(coco, alone, { ...options, percents: [100], classes: ["dog"] });
    assert.deepEqual(split?.classes, ["dog"]);
    assert.deepEqual(
      split.image_ids,
      images.filter(({ id }) => id % 2 === 1 && id !== 1).map(({ id }) => id),
    );
  });

  it("know which classes they lack; crowds are no objects", () => {
    const [split] = makeSplits(coco, alone, { ...options, percents: [100] });
    assert.ok(split);
    assert.deepEqual(missingClasses(coco, split), ["fox"]);
    assert.deepEqual(missingClasses(coco, { ...split, classes: ["cat"] }), []);
    assert.deepEqual(missingClasses(coco, { ...split, image_ids: [0] }), ["cat", "dog", "fox"]);
  });

  it("keep groups whole", () => {
    const [split] = makeSplits(coco, ({ id }) => `video ${Math.floor(id / 10)}`, { ...options, percents: [50] });
    assert.equal(new Set(split?.image_ids.map((id) => Math.floor(id / 10))).size, 2);
  });

  it("cannot be drawn for an unknown class, nor from nothing", () => {
    assert.throws(() => makeSplits(coco, alone, { ...options, classes: ["cow"] }), {
      reason: "CONFIG_INVALID",
      message: /no class cow/,
      remedy: /cat, dog, fox/,
    });
    assert.throws(() => makeSplits(coco, alone, { ...options, classes: ["fox"] }), { reason: "DATASET_EMPTY" });
    assert.throws(() => makeSplits({ categories, images: [] }, alone, options), { reason: "DATASET_EMPTY" });
  });
});
