import assert from "node:assert/strict";
import { truncate, writeFile } from "node:fs/promises";
import { readAnnotations } from "../../../../../ts/data/formats/read-annotations.js";
import { type CocoDocument, cocoDocument, temporaryFolder, writeJson } from "../../fixtures.js";

describe("the COCO reader", () => {
  const at = temporaryFolder();

  it("makes class indices of sparse category ids, in ascending order of the ids", async () => {
    await writeJson(at("a.json"), cocoDocument([2, 1]));
    const { categories, images, boxes } = await readAnnotations({ annotations: at("a.json") }, "error");
    assert.deepEqual(categories, [
      { id: 2, name: "cat" },
      { id: 5, name: "dog" },
    ]);
    assert.deepEqual(images, [
      {
        id: 1,
        file_name: "1.jpg",
        width_px: 32,
        height_px: 24,
        annotations: [{ box_xywh: [4, 4, 10, 8], class_index: 0, area: 80, iscrowd: false }],
      },
      {
        id: 2,
        file_name: "2.jpg",
        width_px: 32,
        height_px: 24,
        annotations: [{ box_xywh: [4, 4, 10, 8], class_index: 1, area: 80, iscrowd: false }],
      },
    ]);
    assert.deepEqual(boxes, { rounded: 0, clipped: 0, dropped: 0 });
  });

  it("says where a file is cut off", async () => {
    await writeJson(at("a.json"), cocoDocument([1, 2, 3]));
    await truncate(at("a.json"), 100);
    await assert.rejects(readAnnotations({ annotations: at("a.json") }, "error"), {
      reason: "ANNOTATIONS_INVALID",
      message: /a\.json.*cut off at byte 100/,
    });
  });

  const readDocument = async (document: unknown, policy: "error" | "clip" | "drop" = "error") => {
    await writeJson(at("train.json"), document);
    return readAnnotations({ annotations: at("train.json") }, policy);
  };
  const read = (change: (coco: CocoDocument) => void, policy?: "clip" | "drop") => {
    const coco = cocoDocument([1, 2, 3]);
    change(coco);
    return readDocument(coco, policy);
  };
  const first = (coco: CocoDocument, change: Record<string, unknown>): void =>
    void Object.assign(coco.annotations[0] ?? {}, change);

  it("takes the area of the box where none is given, and no crowd where nothing says so", async () => {
    const { images } = await read((coco) =>
      coco.annotations.forEach((record) => Object.assign(record, { area: undefined, iscrowd: undefined })),
    );
    assert.deepEqual(images[0]?.annotations, [{ box_xywh: [4, 4, 10, 8], class_index: 0, area: 80, iscrowd: false }]);
  });

  it("knows crowds by 1 and by true", async () => {
    const { images } = await read((coco) =>
      coco.annotations.forEach((record, index) => (record["iscrowd"] = [1, true, false][index])),
    );
    assert.deepEqual(
      images.map(({ annotations }) => annotations[0]?.iscrowd),
      [true, true, false],
    );
  });

  it("keeps images without boxes, and the order of the boxes of an image", async () => {
    const { images } = await read((coco) =>
      coco.annotations.forEach((record, index) => Object.assign(record, { image_id: 2, area: index })),
    );
    assert.deepEqual(
      images.map(({ annotations }) => annotations.map(({ area }) => area)),
      [[], [0, 1, 2], []],
    );
  });

  it("counts what it clips and drops, and lets no object be larger than its clipped box", async () => {
    const outside = (coco: CocoDocument): void => {
      for (const [index, bbox] of [
        [-0.5, 0, 10, 10],
        [-4, 0, 10, 10],
        [90, 90, 5, 5],
      ].entries())
        Object.assign(coco.annotations[index] ?? {}, { bbox, area: 70 });
    };
    const clipped = await read(outside, "clip");
    assert.deepEqual(clipped.boxes, { rounded: 1, clipped: 1, dropped: 1 });
    assert.deepEqual(
      clipped.images.map(({ annotations }) => annotations.map(({ area }) => area)),
      [[70], [60], []],
    );
    assert.deepEqual((await read(outside, "drop")).boxes, { rounded: 1, clipped: 0, dropped: 2 });
  });

  const refused: [what: string, change: (coco: CocoDocument) => unknown, message: RegExp][] = [
    ["no images", (coco) => delete (coco as Partial<CocoDocument>).images, /`images` is undefined, not a list/],
    [
      "annotations of another type",
      (coco) => Object.assign(coco, { annotations: {} }),
      /`annotations` is \{\}, not a list/,
    ],
    ["no categories", (coco) => delete (coco as Partial<CocoDocument>).categories, /`categories`/],
    ["a record that is no object", (coco) => Object.assign(coco, { images: [7] }), /image at position 0 is 7/],
    [
      "a category id that is no integer",
      (coco) => Object.assign(coco.categories[1] ?? {}, { id: "2" }),
      /category at position 1 .*"2"/,
    ],
    ["a category without a name", (coco) => delete coco.categories[0]?.["name"], /category 5 .*undefined/],
    [
      "an image id that is no integer",
      (coco) => Object.assign(coco.images[1] ?? {}, { id: 1.5 }),
      /image at position 1 .*1\.5/,
    ],
    ["an empty file name", (coco) => Object.assign(coco.images[1] ?? {}, { file_name: "" }), /image 2 .*""/],
    [
      "a file name that leads out of the folder",
      (coco) => Object.assign(coco.images[1] ?? {}, { file_name: "a/../../b.jpg" }),
      /image 2 .*\.\./,
    ],
    [
      "an absolute file name",
      (coco) => Object.assign(coco.images[1] ?? {}, { file_name: "/b.jpg" }),
      /image 2 .*\/b\.jpg/,
    ],
    [
      "an image without a width",
      (coco) => delete coco.images[2]?.["width"],
      /image 3 \(3\.jpg\) has the width undefined/,
    ],
    [
      "an image without height",
      (coco) => Object.assign(coco.images[2] ?? {}, { height: 0 }),
      /image 3 \(3\.jpg\) has the height 0/,
    ],
    ["an annotation id that is no integer", (coco) => first(coco, { id: null }), /annotation at position 0 .*null/],
    ["an image_id that is no integer", (coco) => first(coco, { image_id: "1" }), /annotation 101 .*image_id "1"/],
    [
      "a category_id that is missing",
      (coco) => first(coco, { category_id: undefined }),
      /annotation 101 .*category_id undefined/,
    ],
    ["no bbox", (coco) => first(coco, { bbox: undefined }), /annotation 101 has no bbox/],
    ["a bbox of three numbers", (coco) => first(coco, { bbox: [1, 2, 3] }), /annotation 101 .*\[1, 2, 3\], not four/],
    ["a bbox of texts", (coco) => first(coco, { bbox: ["1", 2, 3, 4] }), /annotation 101 .*"1"/],
    ["an area that is no number", (coco) => first(coco, { area: "big" }), /annotation 101 .*area "big"/],
    ["a negative area", (coco) => first(coco, { area: -1 }), /annotation 101 .*area -1/],
    ["an iscrowd of 2", (coco) => first(coco, { iscrowd: 2 }), /annotation 101 .*iscrowd 2/],
    [
      "duplicate category ids",
      (coco) => coco.categories.push({ id: 2, name: "cow" }),
      /duplicate category id 2: cat and cow/,
    ],
    [
      "duplicate image ids",
      (coco) => coco.images.push({ id: 3, file_name: "x.jpg", width: 1, height: 1 }),
      /duplicate image id 3: 3\.jpg and x\.jpg/,
    ],
    [
      "duplicate file names",
      (coco) => coco.images.push({ id: 4, file_name: "./3.jpg", width: 1, height: 1 }),
      /duplicate file_name .*images 3 and 4/,
    ],
    ["duplicate annotation ids", (coco) => first(coco, { id: 102 }), /duplicate annotation id 102/],
    ["an annotation without its image", (coco) => first(coco, { image_id: 999 }), /annotation 101 .*image_id 999/],
    ["an annotation without its category", (coco) => first(coco, { category_id: 3 }), /annotation 101 .*category_id 3/],
    [
      "a box outside its image",
      (coco) => first(coco, { bbox: [200, 200, 10, 10] }),
      /annotation 101: the box \[200, 200, 10, 10\] lies outside .*1\.jpg, 32 x 24/,
    ],
    ["a box over the border", (coco) => first(coco, { bbox: [30, 4, 10, 8] }), /annotation 101: .* reaches 8 px out/],
    ["a box of no area", (coco) => first(coco, { bbox: [5, 5, 0, 10] }), /annotation 101: .*no area/],
  ];
  for (const [what, change, message] of refused) {
    it(`refuses ${what}`, async () => {
      await assert.rejects(read(change), { reason: "ANNOTATIONS_INVALID", message });
      await assert.rejects(read(change), { message: /^[^ ]*train\.json: / });
    });
  }

  it("refuses infinite numbers, which JSON can hold", async () => {
    await writeFile(at("train.json"), JSON.stringify(cocoDocument([1])).replace("[4,4,10,8]", "[4,4,1e999,8]"));
    await assert.rejects(readAnnotations({ annotations: at("train.json") }, "clip"), {
      message: /\[4, 4, Infinity, 8\], not four finite/,
    });
  });

  it("refuses what is no object", async () => {
    for (const document of [null, [], 3]) await assert.rejects(readDocument(document), { message: /not an object/ });
  });

  it("names the first five offenders and counts the others", async () => {
    const coco = cocoDocument([1, 2, 3, 4, 5, 6, 7]);
    for (const annotation of coco.annotations) annotation["bbox"] = [0, 0, 0, 0];
    await assert.rejects(readDocument(coco), {
      message: /annotation 101: .*\n.*annotation 102: .*\n.*\n.*\n.*annotation 105: .*\n.*and 2 more$/,
    });
  });
});
