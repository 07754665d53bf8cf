import assert from "node:assert/strict";
import { classesWithObjects, withCategories } from "../../../ts/core/categories.js";
import type { Annotation } from "../../../ts/core/dataset.js";

const object = (class_index: number, iscrowd = false): Annotation => ({
  box_xywh: [0, 0, 1, 1],
  class_index,
  area: 1,
  iscrowd,
});
const cat = { id: 3, name: "cat" };
const dog = { id: 7, name: "dog" };
const fox = { id: 9, name: "fox" };

describe("withCategories", () => {
  it("renumbers classes by id and name", () => {
    const images = [{ annotations: [object(0), object(1)] }];
    const renumbered = withCategories(images, [cat, fox], [cat, dog, fox], "validation.json");
    assert.deepEqual(
      renumbered[0]?.annotations.map(({ class_index }) => class_index),
      [0, 2],
    );
  });

  it("passes over a class that is listed and not used", () => {
    assert.doesNotThrow(() => withCategories([{ annotations: [object(0)] }], [cat, fox], [cat], "validation.json"));
  });

  it("names a used class that is not there", () => {
    assert.throws(() => withCategories([{ annotations: [object(1)] }], [cat, fox], [cat], "validation.json"), {
      reason: "CATEGORY_MISMATCH",
      message: /^validation\.json has the classes fox \(id 9\).*cat \(id 3\)/,
    });
  });

  it("takes no class of the same id and another name for the same", () => {
    const renamed = [{ id: 3, name: "lynx" }];
    assert.throws(() => withCategories([{ annotations: [object(0)] }], renamed, [cat], "validation.json"), {
      reason: "CATEGORY_MISMATCH",
      message: /lynx/,
    });
  });
});

describe("classesWithObjects", () => {
  it("names the classes of objects, not of crowds", () => {
    const images = [{ annotations: [object(1), object(2, true)] }, { annotations: [] }, { annotations: [object(1)] }];
    assert.deepEqual([...classesWithObjects(images, [cat, dog, fox])], ["dog"]);
  });
});
