import assert from "node:assert/strict";
import fc from "fast-check";
import type { Annotation, Dataset } from "../../../ts/core/dataset.js";
import { classMapOf, restoreClasses, toClassAgnostic } from "../../../ts/labels/class-agnostic.js";

const annotation: fc.Arbitrary<Annotation> = fc
  .tuple(fc.nat(4), fc.boolean())
  .map(([class_index, iscrowd]) => ({ box_xywh: [1, 2, 3, 4], class_index, area: 12, iscrowd }));
const dataset: fc.Arbitrary<Dataset> = fc.array(fc.array(annotation)).map((images) => ({
  categories: [1, 2, 3, 5, 8].map((id) => ({ id, name: `class ${id}` })),
  images: images.map((annotations, id) => ({
    id,
    file_name: `${id}.jpg`,
    sha256: "00",
    width_px: 9,
    height_px: 9,
    annotations,
  })),
}));

describe("the class-agnostic transform", () => {
  it("leaves one class and nothing else changed", () => {
    fc.assert(
      fc.property(dataset, (specific) => {
        const before = structuredClone(specific);
        const agnostic = toClassAgnostic(specific);
        assert.deepEqual(agnostic.categories, [{ id: 1, name: "object" }]);
        const withoutClasses = specific.images.map((image) => ({
          ...image,
          annotations: image.annotations.map((one) => ({ ...one, class_index: 0 })),
        }));
        assert.deepEqual(agnostic.images, withoutClasses);
        assert.deepEqual(specific, before);
      }),
    );
  });

  it("changes nothing the second time", () => {
    fc.assert(
      fc.property(dataset, (specific) =>
        assert.deepEqual(toClassAgnostic(toClassAgnostic(specific)), toClassAgnostic(specific)),
      ),
    );
  });

  it("is undone by the classes that were kept", () => {
    fc.assert(
      fc.property(dataset, (specific) =>
        assert.deepEqual(restoreClasses(toClassAgnostic(specific), classMapOf(specific)), specific),
      ),
    );
  });

  it("refuses the classes of another dataset", () => {
    const image = { id: 1, file_name: "a.jpg", sha256: "00", width_px: 9, height_px: 9 };
    const box: Annotation = { box_xywh: [1, 2, 3, 4], class_index: 0, area: 12, iscrowd: false };
    const one: Dataset = { categories: [{ id: 1, name: "cat" }], images: [{ ...image, annotations: [box] }] };
    const none = { ...one, images: [{ ...image, annotations: [] }] };
    assert.throws(() => restoreClasses(one, classMapOf(none)), {
      reason: "ANNOTATIONS_INVALID",
      message: /1 .*a\.jpg.* 0/,
    });
    assert.throws(() => restoreClasses({ ...one, images: [] }, classMapOf(one)), { reason: "ANNOTATIONS_INVALID" });
  });
});
