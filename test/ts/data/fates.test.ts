import assert from "node:assert/strict";
import fc from "fast-check";
import { decideFates, type InspectedImage } from "../../../ts/data/fates.js";

type Split = InspectedImage["candidate"]["split"];

const image = (split: Split, name: string, content = name): InspectedImage => ({
  candidate: { split, path: `/data/${name}`, file_name: name },
  info: { sha256: content, width_px: 32, height_px: 24, turned: false },
});
const broken = (split: Split, name: string): InspectedImage => ({
  candidate: { split, path: `/data/${name}`, file_name: name },
  fault: "it is cut off",
});
const annotated = (name: string, width_px: number, height_px: number, turned = false): InspectedImage => ({
  candidate: {
    split: "labeled",
    path: `/data/${name}`,
    file_name: name,
    listed: { id: 1, file_name: name, width_px, height_px, annotations: [] },
  },
  info: { sha256: name, width_px: 32, height_px: 24, turned },
});

const summary = (images: InspectedImage[]) => {
  const { used, dropped } = decideFates(images, "drop");
  return {
    used: used.map(({ candidate }) => candidate.file_name),
    dropped: dropped.map(({ candidate, reason }) => `${candidate.file_name}: ${reason}`),
  };
};

describe("the fates of images", () => {
  it("are to be used, if nothing is wrong", () => {
    const images = [image("labeled", "a"), image("validation", "b"), image("unlabeled", "c")];
    assert.deepEqual(summary(images), { used: ["a", "b", "c"], dropped: [] });
  });

  it("drop or refuse what cannot be decoded, as the policy says", () => {
    const images = [broken("unlabeled", "a"), broken("labeled", "b"), image("labeled", "c")];
    assert.deepEqual(summary(images), {
      used: ["c"],
      dropped: ["a: cannot be decoded: it is cut off", "b: cannot be decoded: it is cut off"],
    });
    assert.throws(() => decideFates(images, "error"), {
      reason: "IMAGE_INVALID",
      message: /\/data\/a: it is cut off\n.*\/data\/b/,
      remedy: /drop/,
    });
  });

  it("drop unlabeled images of the same content as others, whatever their order", () => {
    const images = [
      image("unlabeled", "a", "x"),
      image("unlabeled", "b", "y"),
      image("unlabeled", "c", "z"),
      image("unlabeled", "d", "z"),
      image("validation", "e", "y"),
      image("labeled", "f", "x"),
    ];
    assert.deepEqual(summary(images), {
      used: ["c", "e", "f"],
      dropped: ["a: same content as labeled f", "b: same content as validation e", "d: same content as unlabeled c"],
    });
  });

  it("leave equal images within the labeled set alone", () => {
    assert.deepEqual(summary([image("labeled", "a", "x"), image("labeled", "b", "x")]).used, ["a", "b"]);
  });

  it("refuse a labeled image that is a validation image too, and name both", () => {
    const images = [image("labeled", "a", "x"), image("validation", "b", "x")];
    assert.throws(() => decideFates(images, "drop"), {
      reason: "ANNOTATIONS_INVALID",
      message: /\/data\/a has the same content as \/data\/b/,
    });
  });

  it("refuse an image of another size than annotated, with both sizes", () => {
    assert.throws(() => decideFates([annotated("a", 33, 24)], "drop"), {
      reason: "ANNOTATIONS_INVALID",
      message: /\/data\/a is 32 x 24 px, annotated as 33 x 24\./,
    });
  });

  it("explain swapped sizes by the EXIF orientation, if there is one", () => {
    assert.throws(() => decideFates([annotated("a", 24, 32, true)], "error"), { message: /EXIF/ });
    assert.throws(
      () => decideFates([annotated("a", 24, 32)], "error"),
      ({ message }: Error) => !message.includes("EXIF"),
    );
  });

  it("add up: each image is used or dropped, once", () => {
    const any = fc.record({
      split: fc.constantFrom<Split>("unlabeled", "labeled"),
      content: fc.nat(5),
      bad: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(any), (drawn) => {
        const images = drawn.map(({ split, content, bad }, index) =>
          bad ? broken(split, `${index}`) : image(split, `${index}`, `${content}`),
        );
        const { used, dropped } = decideFates(images, "drop");
        const names = [...used, ...dropped].map(({ candidate }) => Number(candidate.file_name)).sort((a, b) => a - b);
        assert.deepEqual(names, [...images.keys()]);
        const hashes = used.filter(({ candidate }) => candidate.split === "unlabeled").map(({ info }) => info.sha256);
        assert.equal(new Set(hashes).size, hashes.length);
      }),
    );
  });
});
