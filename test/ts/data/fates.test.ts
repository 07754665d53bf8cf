import assert from "node:assert/strict";
import fc from "fast-check";
import { type Decision, dropCopies, dropLeaks, dropUnsound } from "../../../ts/data/fates.js";
import type { Leak } from "../../../ts/data/firewall.js";
import type { InspectedImage, SoundImage } from "../../../ts/data/inspected-image.js";

type Split = InspectedImage["candidate"]["split"];

const image = (split: Split, name: string, content = name, position = 0): SoundImage => ({
  candidate: { split, path: `/data/${name}`, file_name: name },
  info: { sha256: content, size_bytes: 1, width_px: 32, height_px: 24, turned: false },
  position,
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
  info: { sha256: name, size_bytes: 1, width_px: 32, height_px: 24, turned },
});
const leak = (suspect: SoundImage, original: SoundImage, kind: Leak["kind"] = "exact", distance = 0): Leak => {
  return { suspect, original, kind, distance, mirrored: false };
};

const summary = ({ kept, dropped }: Decision) => ({
  kept: kept.map(({ candidate }) => candidate.file_name),
  dropped: dropped.map(({ candidate, reason, detail }) => `${candidate.file_name}: ${reason}: ${detail}`),
});

describe("images that are not sound", () => {
  it("are dropped or refused, as the policy says", () => {
    const images = [broken("unlabeled", "a"), broken("labeled", "b"), image("labeled", "c")];
    assert.deepEqual(summary(dropUnsound(images, "drop")), {
      kept: ["c"],
      dropped: ["a: cannot be decoded: it is cut off", "b: cannot be decoded: it is cut off"],
    });
    assert.throws(() => dropUnsound(images, "error"), {
      reason: "IMAGE_INVALID",
      message: /\/data\/a: it is cut off\n.*\/data\/b/,
      remedy: /drop/,
    });
  });

  it("may be of another size than annotated", () => {
    const images = [image("unlabeled", "z"), annotated("a", 33, 24)];
    assert.throws(() => dropUnsound(images, "error"), {
      reason: "ANNOTATIONS_INVALID",
      message: /\/data\/a is 32 x 24 px, annotated as 33 x 24\./,
    });
    assert.deepEqual(summary(dropUnsound(images, "drop")), {
      kept: ["z"],
      dropped: ["a: of another size than annotated: is 32 x 24 px, annotated as 33 x 24"],
    });
  });

  it("have swapped sizes explained by the EXIF orientation, if there is one", () => {
    assert.throws(() => dropUnsound([annotated("a", 24, 32, true)], "error"), { message: /EXIF/ });
    assert.throws(
      () => dropUnsound([annotated("a", 24, 32)], "error"),
      ({ message }: Error) => !message.includes("EXIF"),
    );
  });

  it("leave the others with their places among all", () => {
    const { kept } = dropUnsound([broken("labeled", "a"), image("labeled", "b"), image("unlabeled", "c")], "drop");
    assert.deepEqual(
      kept.map(({ position }) => position),
      [1, 2],
    );
  });
});

describe("images that leak", () => {
  const [labeled, unlabeled, validation] = [image("labeled", "a"), image("unlabeled", "b"), image("validation", "c")];
  const images = [labeled, unlabeled, validation];

  it("are dropped with the name of the validation image, and its distance", () => {
    assert.deepEqual(summary(dropLeaks(images, [leak(unlabeled, validation)], "error")), {
      kept: ["a", "c"],
      dropped: ["b: exact copy of a validation image: c"],
    });
    assert.deepEqual(summary(dropLeaks(images, [leak(unlabeled, validation, "near", 0.012)], "error")).dropped, [
      "b: near-duplicate of a validation image: c, distance 0.012",
    ]);
  });

  it("are refused with both names if they are labeled, unless they are to be dropped", () => {
    const leaks = [leak(labeled, validation, "near", 0.012)];
    assert.throws(() => dropLeaks(images, leaks, "error"), {
      reason: "ANNOTATIONS_INVALID",
      message: /\/data\/a shows the same as \/data\/c \(distance 0\.012\)/,
      remedy: /leak_firewall\.labeled: drop/,
    });
    assert.throws(() => dropLeaks(images, [leak(labeled, validation)], "error"), {
      message: /\/data\/a has the same content as \/data\/c/,
    });
    assert.deepEqual(summary(dropLeaks(images, leaks, "drop")).kept, ["b", "c"]);
  });
});

describe("images of the same content", () => {
  it("are dropped if they are unlabeled, but for the first, whatever their order", () => {
    const images = [
      image("unlabeled", "a", "x"),
      image("unlabeled", "c", "z"),
      image("unlabeled", "d", "z"),
      image("labeled", "f", "x"),
    ];
    assert.deepEqual(summary(dropCopies(images)), {
      kept: ["c", "f"],
      dropped: ["a: same content as another image: labeled f", "d: same content as another image: unlabeled c"],
    });
  });

  it("are left alone within the labeled set, and where the other is a validation image: that is for the firewall", () => {
    assert.deepEqual(summary(dropCopies([image("labeled", "a", "x"), image("labeled", "b", "x")])).kept, ["a", "b"]);
    assert.deepEqual(summary(dropCopies([image("validation", "a", "x"), image("unlabeled", "b", "x")])).dropped, []);
  });
});

describe("the fates of images", () => {
  it("add up: each image is kept or dropped, once", () => {
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
        const sound = dropUnsound(images, "drop");
        const { kept, dropped } = dropCopies(sound.kept);
        const names = [...kept, ...sound.dropped, ...dropped].map(({ candidate }) => Number(candidate.file_name));
        assert.deepEqual(
          names.sort((a, b) => a - b),
          [...images.keys()],
        );
        const hashes = kept.filter(({ candidate }) => candidate.split === "unlabeled").map(({ info }) => info.sha256);
        assert.equal(new Set(hashes).size, hashes.length);
      }),
    );
  });
});
