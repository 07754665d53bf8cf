import assert from "node:assert/strict";
import { chmod, mkdir, readdir, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import fc from "fast-check";
import type { BoxXywh } from "../../../../ts/core/boxes.js";
import { type Conversion, convert } from "../../../../ts/data/convert/convert.js";
import { readAnnotations } from "../../../../ts/data/formats/read-annotations.js";
import { WRITTEN_FORMATS, type WrittenFormat } from "../../../../ts/data/formats/source-set.js";
import { missingPython, runPython } from "../../evaluation/python.js";
import { cocoDocument, temporaryFolder, writeImage, writeJson } from "../fixtures.js";
import { flatObjects, writeText } from "../formats/written-sets.js";

const WIDTH = 97;
const HEIGHT = 61;
const NAMES = ["a.jpg", "b & c.png", "sub/a.jpg", "sub/\u00e9 <x>.v2.jpg", "images/images/1.jpg"];

describe("conversion", function () {
  this.timeout(30_000);
  const at = temporaryFolder();

  const run = (annotations: string, out: string, to: WrittenFormat, change: Partial<Conversion> = {}) =>
    convert({
      source: { annotations: at(annotations) },
      out: at(out),
      to,
      classes: { names: new Map(), keep: undefined },
      badBoxes: "error",
      imageFiles: "link",
      signal: new AbortController().signal,
      ...change,
    });
  const readSet = (annotations: string) => readAnnotations({ annotations: at(annotations) }, "error");

  const px = (most: number) => fc.integer({ min: 0, max: most * 1e6 }).map((millionths) => millionths / 1e6);
  const box = fc.tuple(px(WIDTH - 1), px(HEIGHT - 1), px(WIDTH), px(HEIGHT)).map(([x, y, width, height]): BoxXywh => {
    const within = (value: number, rest: number): number =>
      Math.max(Math.round(Math.min(value, rest) * 1e6) / 1e6, 1e-6);
    return [x, y, within(width, WIDTH - x), within(height, HEIGHT - y)];
  });
  const object = fc.record({
    image: fc.nat(NAMES.length - 1),
    category_id: fc.constantFrom(3, 90, 5),
    bbox: box,
    iscrowd: fc.constantFrom(0, 1),
  });
  const categories = [
    { id: 90, name: "yes" },
    { id: 3, name: "a: 'b' <&>" },
    { id: 5, name: "never \u00e9" },
  ];
  const writeCoco = (objects: readonly { image: number; bbox: BoxXywh }[], file = at("in/annotations.json")) =>
    writeJson(file, {
      images: NAMES.map((file_name, index) => ({ id: 10 - index, file_name, width: WIDTH, height: HEIGHT })),
      categories,
      annotations: objects.map(({ image, ...rest }, index) => {
        return { id: index + 1, image_id: 10 - image, area: rest.bbox[2] * rest.bbox[3], ...rest };
      }),
    });

  for (const format of WRITTEN_FORMATS) {
    it(`to ${format} and back is the identity, to a millionth of a pixel`, async () => {
      for (const name of NAMES) await writeImage(at("in/images", name), 1, WIDTH, HEIGHT);
      await fc.assert(
        fc.asyncProperty(fc.array(object), async (objects) => {
          const kept = format === "yolo" ? objects.map((one) => ({ ...one, iscrowd: 0 })) : objects;
          for (const folder of ["there", "back"]) await rm(at(folder), { recursive: true, force: true });
          await writeCoco(kept);
          const before = await readSet("in");
          await run("in", "there", format);
          await run("there", "back", "coco");
          for (const folder of ["there", "back"]) {
            const after = await readSet(folder);
            assert.deepEqual(flatObjects(after), flatObjects(before));
            assert.deepEqual(after.images.map(sizeOf).sort(), before.images.map(sizeOf).sort());
            assert.deepEqual(after.categories.map(nameOf), before.categories.map(nameOf));
            assert.equal(
              after.imageFolder,
              at(folder, format === "voc" && folder === "there" ? "JPEGImages" : "images"),
            );
            assert.deepEqual(after.boxes, { rounded: 0, clipped: 0, dropped: 0 });
          }
        }),
        { numRuns: 12 },
      );
    });
  }

  it("to COCO keeps sparse ids, masks and areas, and writes what pycocotools reads", async function () {
    const coco = cocoDocument([7, 3]);
    Object.assign(coco.annotations[0] ?? {}, { segmentation: [[4, 4, 14, 4, 14, 12.5]], area: 42.5, iscrowd: 1 });
    await writeJson(at("a.json"), coco);
    const { warnings } = await run("a.json", "out", "coco", { imageFiles: "none" });
    assert.deepEqual(warnings, []);
    const set = await readSet("out");
    assert.deepEqual(set.categories, [
      { id: 2, name: "cat" },
      { id: 5, name: "dog" },
    ]);
    assert.deepEqual(
      set.images.map(({ id }) => id),
      [3, 7],
    );
    const missing = missingPython("pycocotools");
    if (missing !== undefined) {
      console.log(`      skipped: ${missing}`);
      this.skip();
    }
    const script =
      "import json, sys; from pycocotools.coco import COCO; c = COCO(sys.argv[1]); print(json.dumps(c.loadAnns(c.getAnnIds(imgIds=[7]))))";
    const [annotation] = JSON.parse(runPython(script, at("out/annotations.json")).split("\n").at(-1) ?? "") as object[];
    assert.deepEqual(annotation, { ...coco.annotations[0], id: 2 });
  });

  it("counts the masks, areas and crowds that a format has no place for", async () => {
    const coco = cocoDocument([1, 2, 3]);
    Object.assign(coco.annotations[0] ?? {}, { segmentation: [[4, 4, 14, 4, 14, 12]], area: 40 });
    Object.assign(coco.annotations[1] ?? {}, { iscrowd: 1 });
    await writeJson(at("a.json"), coco);
    assert.match(
      (await run("a.json", "voc", "voc")).warnings.join("\n"),
      /the 1 masks .*\n1 areas .*\nonly annotations/,
    );
    const yolo = await run("a.json", "yolo", "yolo", { imageFiles: "none" });
    assert.match(yolo.warnings.join("\n"), /the 1 masks .*\n1 areas .*\n1 crowds/);
    assert.equal(await readFile(at("yolo/labels/2.txt"), "utf8"), "");
  });

  it("chooses and merges classes", async () => {
    await writeJson(at("a.json"), cocoDocument([1, 2, 3]));
    const classes = {
      names: new Map([
        ["cat", "animal"],
        ["dog", "animal"],
      ]),
      keep: ["animal"],
    };
    const converted = await run("a.json", "out", "coco", { classes });
    assert.deepEqual([converted.images, converted.objects, converted.classes], [3, 3, 1]);
    assert.deepEqual((await readSet("out")).categories, [{ id: 2, name: "animal" }]);
  });

  it("treats bad boxes as it is told to", async () => {
    const coco = cocoDocument([1, 2]);
    Object.assign(coco.annotations[0] ?? {}, { bbox: [30, 4, 10, 8] });
    await writeJson(at("a.json"), coco);
    await assert.rejects(run("a.json", "out", "voc"), { message: /reaches 8 px out/ });
    assert.deepEqual((await run("a.json", "out", "voc", { badBoxes: "clip" })).boxes.clipped, 1);
  });

  describe("of image files", () => {
    beforeEach(async () => {
      await writeJson(at("set/annotations.json"), cocoDocument([1, 2]));
      for (const id of [1, 2]) await writeImage(at(`set/images/${id}.jpg`), id);
    });

    it("makes links, copies, or nothing", async () => {
      const inode = async (path: string): Promise<number> => (await stat(at(path))).ino;
      assert.equal((await run("set", "a", "yolo")).has_images, true);
      assert.equal(await inode("a/images/1.jpg"), await inode("set/images/1.jpg"));
      await run("set", "b", "yolo", { imageFiles: "copy" });
      assert.notEqual(await inode("b/images/1.jpg"), await inode("set/images/1.jpg"));
      assert.deepEqual(await readFile(at("b/images/1.jpg")), await readFile(at("set/images/1.jpg")));
      assert.equal((await run("set", "c", "yolo", { imageFiles: "none" })).has_images, false);
      assert.deepEqual(await readdir(at("c")), ["data.yaml", "labels"]);
    });

    it("follows links to where the image is", async () => {
      await rm(at("set/images/1.jpg"));
      await writeImage(at("real.jpg"), 1);
      await symlink("../../real.jpg", at("set/images/1.jpg"));
      await run("set", "a", "voc");
      assert.deepEqual(await readFile(at("a/JPEGImages/1.jpg")), await readFile(at("real.jpg")));
    });

    it("refuses missing ones by their names, and leaves nothing behind", async () => {
      await rm(at("set/images/2.jpg"));
      const before = await readdir(at());
      await assert.rejects(run("set", "deep/out", "yolo"), {
        reason: "FILE_NOT_FOUND",
        message: /set\/images: 2\.jpg/,
      });
      assert.deepEqual(await readdir(at()), before);
    });
  });

  it("leaves nothing behind when it is interrupted", async () => {
    await writeJson(at("a.json"), cocoDocument([1]));
    await assert.rejects(run("a.json", "out", "voc", { signal: AbortSignal.abort() }), { name: "AbortError" });
    assert.deepEqual(await readdir(at()), ["a.json"]);
  });

  it("writes into an empty folder, and into no other", async () => {
    await writeJson(at("a.json"), cocoDocument([1]));
    await mkdir(at("out"));
    await run("a.json", "out", "voc");
    await assert.rejects(run("a.json", "out", "voc"), { reason: "CONFIG_INVALID", message: /not empty/ });
    await assert.rejects(run("a.json", "a.json", "voc"), { reason: "CONFIG_INVALID", message: /is no folder/ });
    await writeFile(at("out/mine.txt"), "mine");
    assert.equal((await stat(at("out"))).mode & 0o777, 0o777 & ~process.umask());
    await chmod(at("out"), 0o755);
  });

  const unwritable: [what: string, change: (coco: ReturnType<typeof cocoDocument>) => void, message: RegExp][] = [
    [
      "two images that would share their labels",
      ({ images }) => Object.assign(images[1] ?? {}, { file_name: "1.png" }),
      /1\.jpg and 1\.png would both have 1\.(xml|txt)/,
    ],
    [
      "a line break in a file name",
      ({ images }) => Object.assign(images[1] ?? {}, { file_name: "a\nb.jpg" }),
      /"a\\nb\.jpg"/,
    ],
    [
      "a file name too long for a file system",
      ({ images }) => Object.assign(images[1] ?? {}, { file_name: `${"x".repeat(300)}.jpg` }),
      /too long/,
    ],
  ];
  for (const [what, change, message] of unwritable) {
    it(`refuses ${what}, and leaves nothing behind`, async () => {
      const coco = cocoDocument([1, 2]);
      change(coco);
      await writeJson(at("a.json"), coco);
      for (const to of ["yolo", "voc"] as const) {
        await assert.rejects(run("a.json", "out", to), { reason: "ANNOTATIONS_INVALID", message });
      }
      assert.deepEqual(await readdir(at()), ["a.json"]);
    });
  }

  it("refuses two classes of one name in VOC, which has nothing but names", async () => {
    const coco = cocoDocument([1, 2]);
    for (const category of coco.categories) category["name"] = "cat";
    await writeJson(at("a.json"), coco);
    await assert.rejects(run("a.json", "out", "voc"), {
      reason: "ANNOTATIONS_INVALID",
      message: /several classes .*"cat"/,
    });
    assert.equal((await run("a.json", "out", "yolo")).classes, 2);
  });

  it("refuses what reading finds at fault, images that cannot be read too", async () => {
    await writeText(at("set/data.yaml"), "train: images\nnames: [cat]");
    await writeText(at("set/images/1.jpg"), "not an image");
    await assert.rejects(run("set", "out", "coco"), {
      reason: "ANNOTATIONS_INVALID",
      message: /1\.jpg cannot be read/,
    });
  });

  it("keeps polygons of YOLO in COCO, and the name of the part in YOLO and VOC", async () => {
    await writeText(at("set/data.yaml"), "train: images\nval: other\nnames: [cat]");
    await writeImage(at("set/images/1.jpg"), 1);
    await writeText(at("set/labels/1.txt"), "0 0 0 0.5 0 0.5 0.5");
    const source = { annotations: at("set"), split: "train" };
    await run("", "coco", "coco", { source });
    assert.match(await readFile(at("coco/annotations.json"), "utf8"), /"segmentation":\[\[0,0,16,0,16,12\]\]/);
    await run("", "voc", "voc", { source });
    assert.equal(await readFile(at("voc/ImageSets/Main/train.txt"), "utf8"), "1\n");
    await writeText(at("set/data.yaml"), "val: images\nnames: [cat]");
    await run("", "yolo", "yolo", { source: { annotations: at("set"), split: "val" } });
    assert.match(await readFile(at("yolo/data.yaml"), "utf8"), /^val: images\nnc: 1\nnames:\n {2}0: cat\n/);
  });
});

function sizeOf({
  file_name,
  width_px,
  height_px,
}: {
  file_name: string;
  width_px: number;
  height_px: number;
}): string {
  return `${file_name} ${width_px} x ${height_px}`;
}

function nameOf({ name }: { name: string }): string {
  return name;
}
