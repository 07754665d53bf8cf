import assert from "node:assert/strict";
import { chooseClasses } from "../../../../ts/data/convert/class-choice.js";
import type { AnnotatedSet, ListedObject } from "../../../../ts/data/formats/source-set.js";

const object = (class_index: number): ListedObject => ({
  box_xywh: [0, 0, 1, 1],
  class_index,
  area: 1,
  iscrowd: false,
});
const set: AnnotatedSet = {
  format: "coco",
  imageFolder: undefined,
  categories: ["car", "bus", "cat", "car"].map((name, index) => ({ id: 10 * (index + 1), name })),
  images: [
    { id: 1, file_name: "1.jpg", width_px: 9, height_px: 9, annotations: [0, 1, 2, 3].map(object) },
    { id: 2, file_name: "2.jpg", width_px: 9, height_px: 9, annotations: [object(2)] },
  ],
  boxes: { rounded: 0, clipped: 0, dropped: 0 },
  maskCount: 0,
};

describe("the choice of classes", () => {
  const choose = (names: Record<string, string>, keep?: readonly string[]) => {
    const { categories, images } = chooseClasses(set, { names: new Map(Object.entries(names)), keep });
    return {
      classes: categories.map(({ id, name }) => `${name} ${id}`),
      objects: images.map(({ annotations }) => annotations.map(({ class_index }) => class_index)),
    };
  };

  it("changes nothing by itself, not even where two classes have one name", () => {
    assert.deepEqual(choose({}), { classes: ["car 10", "bus 20", "cat 30", "car 40"], objects: [[0, 1, 2, 3], [2]] });
  });

  it("renames, and makes one class of those that come to have one name, with the lowest id", () => {
    assert.deepEqual(choose({ car: "vehicle", bus: "vehicle" }), {
      classes: ["vehicle 10", "cat 30"],
      objects: [[0, 0, 1, 0], [1]],
    });
    assert.deepEqual(choose({ bus: "cat" }), { classes: ["car 10", "cat 20", "car 40"], objects: [[0, 1, 1, 2], [1]] });
  });

  it("can swap two names", () => {
    assert.deepEqual(choose({ bus: "cat", cat: "bus" }).classes, ["car 10", "cat 20", "bus 30", "car 40"]);
  });

  it("keeps some classes by their new names, and images that lose all their objects", () => {
    assert.deepEqual(choose({ bus: "coach" }, ["coach"]), { classes: ["coach 20"], objects: [[0], []] });
  });

  it("refuses classes that are not there, and says which are", () => {
    const fault = { reason: "CONFIG_INVALID", message: /no class dog; .*car, bus, cat/ };
    assert.throws(() => choose({ dog: "animal" }), fault);
    assert.throws(() => choose({}, ["dog"]), fault);
    assert.throws(() => choose({ bus: "coach" }, ["bus"]), { message: /no class bus; .*car, coach, cat/ });
  });
});
