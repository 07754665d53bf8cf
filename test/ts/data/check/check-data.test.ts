import assert from "node:assert/strict";
import { rm } from "node:fs/promises";
import { checkData } from "../../../../ts/data/check/check-data.js";
import { FINDING_KINDS, type Finding, type FindingKind } from "../../../../ts/data/check/findings.js";
import { type CocoDocument, cocoDocument, temporaryFolder, writeImage, writeJson } from "../fixtures.js";
import { writeText } from "../formats/written-sets.js";

const NEVER = new AbortController().signal;

describe("the check of a data set", () => {
  const at = temporaryFolder();

  /** Twelve images of 32 x 24 px, each with one box. */
  const check = async (change: (coco: CocoDocument) => unknown = () => undefined) => {
    const coco = cocoDocument(Array.from({ length: 24 }, (_, index) => index + 1));
    change(coco);
    await writeJson(at("a.json"), coco);
    return checkData({ annotations: at("a.json") }, NEVER);
  };
  const found = async (...args: Parameters<typeof check>): Promise<Map<FindingKind, Finding>> =>
    new Map((await check(...args)).findings.map((finding) => [finding.kind, finding]));
  const first = (change: Record<string, unknown>) => (coco: CocoDocument) =>
    Object.assign(coco.annotations[0] ?? {}, change);
  const add = (change: Record<string, unknown>) => (coco: CocoDocument) =>
    coco.annotations.push({ ...coco.annotations[0], id: 999, ...change });

  it("finds nothing in a data set without fault, and counts it", async () => {
    const { findings, statistics, image_folder } = await check();
    assert.deepEqual(findings, []);
    assert.equal(image_folder, undefined);
    assert.deepEqual(statistics, {
      images: 24,
      empty_images: 0,
      objects: 24,
      crowds: 0,
      masks: 0,
      most_objects: 1,
      classes: [
        { id: 2, name: "cat", objects: 12, crowds: 0, images: 12, median_side_px: Math.sqrt(80) },
        { id: 5, name: "dog", objects: 12, crowds: 0, images: 12, median_side_px: Math.sqrt(80) },
      ],
      sizes: [8, 16, 32, 64, 128, 256, 512, null].map((below_px) => ({ below_px, objects: below_px === 16 ? 24 : 0 })),
    });
  });

  it("counts crowds apart, and an image once for each class", async () => {
    const { statistics } = await check((coco) => {
      add({ iscrowd: 1, bbox: [20, 10, 5, 5] })(coco);
      add({ id: 1000, bbox: [20, 10, 4, 4], segmentation: [[1, 2, 3, 4, 5, 6]] })(coco);
    });
    const { objects, crowds, masks, most_objects, classes } = statistics;
    assert.deepEqual([objects, crowds, masks, most_objects], [25, 1, 1, 3]);
    assert.deepEqual(classes[0], {
      id: 2,
      name: "cat",
      objects: 13,
      crowds: 1,
      images: 12,
      median_side_px: Math.sqrt(80),
    });
  });

  const cases: [kind: FindingKind, change: (coco: CocoDocument) => unknown, count: number, example: RegExp][] = [
    ["no_images", (coco) => Object.assign(coco, { images: [], annotations: [] }), 1, /no images/],
    ["invalid_record", first({ bbox: [1, 2, 3] }), 1, /annotation 101 .*\[1, 2, 3\]/],
    ["duplicate_id", add({ id: 101, bbox: [20, 10, 5, 5] }), 1, /annotation id 101/],
    [
      "duplicate_file_name",
      ({ images }) => Object.assign(images[1] ?? {}, { file_name: "1.jpg" }),
      1,
      /1\.jpg: images 1 and 2/,
    ],
    ["unknown_reference", first({ category_id: 7 }), 1, /annotation 101 .*category_id 7/],
    ["box_without_area", first({ bbox: [4, 4, 0, 8] }), 1, /annotation 101: cat \[4, 4, 0, 8\] in 1\.jpg/],
    ["box_without_area", first({ bbox: [4, 4, 10, -8], area: 0 }), 1, /\[4, 4, 10, -8\]/],
    ["box_outside", first({ bbox: [32, 4, 10, 8] }), 1, /\[32, 4, 10, 8\]/],
    ["box_over_border", first({ bbox: [30, 4, 10, 8] }), 1, /\[30, 4, 10, 8\]/],
    ["rounded_box", first({ bbox: [22.5, 4, 10, 8] }), 1, /\[22\.5, 4, 10, 8\]/],
    ["duplicate_box", add({ bbox: [4, 4.1, 10, 8] }), 1, /annotation 101: cat .* and annotation 999: cat/],
    ["box_of_two_classes", add({ category_id: 5 }), 1, /annotation 101: cat .* and annotation 999: dog/],
    ["tiny_box", add({ bbox: [4, 4, 1.5, 8], area: 1 }), 1, /\[4, 4, 1\.5, 8\]/],
    ["extreme_aspect", add({ bbox: [20, 1, 1, 22], area: 1 }), 0, /./],
    [
      "extreme_aspect",
      ({ images, annotations }) => {
        Object.assign(images[0] ?? {}, { height: 100 });
        Object.assign(annotations[0] ?? {}, { bbox: [4, 4, 2, 50] });
      },
      1,
      /\[4, 4, 2, 50\]/,
    ],
    ["area_over_box", first({ area: 90 }), 1, /annotation 101: cat/],
    ["class_without_objects", ({ categories }) => categories.push({ id: 9, name: "zebra" }), 1, /zebra/],
    ["rare_class", (coco) => coco.annotations.splice(0, 6), 2, /cat: 9/],
    [
      "imbalance",
      (coco) => {
        coco.annotations.splice(2);
        for (let id = 1000; id < 1101; id++) add({ id, bbox: [4, 4, 5 + id / 100, 3] })(coco);
      },
      1,
      /dog: 1/,
    ],
    [
      "similar_class_names",
      ({ categories }) => categories.push({ id: 9, name: "D og" }),
      1,
      /dog \(id 5\) and D og \(id 9\)/,
    ],
    ["empty_image", (coco) => coco.annotations.splice(0, 2), 2, /1\.jpg/],
    ["mostly_empty", (coco) => coco.annotations.splice(0, 13), 1, /13 of 24 images/],
  ];
  for (const [kind, change, count, example] of cases) {
    it(`finds ${count === 0 ? "no " : ""}${kind}`, async () => {
      const finding = (await found(change)).get(kind);
      assert.equal(finding?.count ?? 0, count);
      if (finding === undefined) return;
      assert.match(finding.examples[0]?.text ?? "", example);
      assert.deepEqual([finding.severity, finding.what], FINDING_KINDS[kind]);
    });
  }

  it("takes crowds for no duplicates, and boxes that overlap less for two objects", async () => {
    const kinds = await found((coco) => {
      add({ iscrowd: 1 })(coco);
      add({ id: 1000, bbox: [5, 4, 10, 8] })(coco);
    });
    assert.deepEqual([...kinds.keys()], []);
  });

  it("counts all findings, keeps the first, and puts errors first", async () => {
    const { findings } = await check((coco) => {
      for (const annotation of coco.annotations) annotation["bbox"] = [0, 0, 0, 0];
      coco.categories.push({ id: 9, name: "zebra" });
    });
    assert.deepEqual(
      findings.map(({ kind, severity, count, examples }) => [kind, severity, count, examples.length]),
      [
        ["box_without_area", "error", 24, 20],
        ["class_without_objects", "warning", 1, 1],
      ],
    );
  });

  describe("of images", () => {
    beforeEach(async () => {
      await writeJson(at("set/annotations.json"), cocoDocument([1, 2]));
      for (const id of [1, 2]) await writeImage(at(`set/images/${id}.jpg`), id);
    });
    const foundIn = async (): Promise<Map<FindingKind, string>> => {
      const { findings } = await checkData({ annotations: at("set") }, NEVER);
      return new Map(findings.map(({ kind, examples }) => [kind, examples.map(({ text }) => text).join()]));
    };

    it("finds missing, broken, wrongly sized and unlisted ones", async () => {
      await writeImage(at("set/images/more/3.png"), 3);
      await writeImage(at("set/images/1.jpg"), 1, 24, 32);
      const kinds = await foundIn();
      assert.match(kinds.get("wrong_image_size") ?? "", /1\.jpg is 24 x 32 px, annotated as 32 x 24/);
      assert.equal(kinds.get("unlisted_image"), "more/3.png");
      await writeText(at("set/images/1.jpg"), "not an image");
      await rm(at("set/images/2.jpg"));
      assert.match((await foundIn()).get("unreadable_image") ?? "", /1\.jpg cannot be read/);
      assert.match((await foundIn()).get("missing_image") ?? "", /2\.jpg/);
    });

    it("tells of an image that reading could not size once", async () => {
      await writeText(at("set/data.yaml"), "train: images\nnames: [cat]");
      await writeText(at("set/images/1.jpg"), "not an image");
      const { findings } = await checkData({ annotations: at("set/data.yaml") }, NEVER);
      assert.deepEqual(
        findings.filter(({ severity }) => severity === "error").map(({ kind, count }) => [kind, count]),
        [["unreadable_image", 1]],
      );
    });
  });
});
