import assert from "node:assert/strict";
import { rm } from "node:fs/promises";
import sharp from "sharp";
import { annotationFiles, readAnnotations, readSource } from "../../../../../ts/data/formats/read-annotations.js";
import { noise, temporaryFolder, writeImage } from "../../fixtures.js";
import { faultsOf, writeText } from "../written-sets.js";

describe("the YOLO reader", () => {
  const at = temporaryFolder();
  const LINE = "0 0.5 0.5 0.5 0.5\n";

  const writeSplit = async (split: string, ...names: readonly string[]): Promise<void> => {
    for (const [index, name] of names.entries()) {
      await writeImage(at("set/images", split, `${name}.jpg`), index + 1);
      await writeText(at("set/labels", split, `${name}.txt`), LINE);
    }
  };
  const read = (split?: string, annotations = at("set/data.yaml")) => readAnnotations({ annotations, split }, "error");
  const namesOf = async (...args: Parameters<typeof read>) =>
    (await read(...args)).images.map(({ file_name, annotations }) => `${file_name} ${annotations.length}`);

  beforeEach(async () => {
    await writeSplit("train", "b", "a/b");
    await writeSplit("val", "c");
    await writeText(at("set/data.yaml"), "train: images/train\nval: images/val\ntest:\nnames: { 3: cat, 0: dog }\n");
  });

  it("takes class numbers, which may have gaps, as category ids", async () => {
    const { categories, images } = await read("train");
    assert.deepEqual(categories, [
      { id: 0, name: "dog" },
      { id: 3, name: "cat" },
    ]);
    assert.deepEqual(images[0], {
      id: 1,
      file_name: "a/b.jpg",
      width_px: 32,
      height_px: 24,
      annotations: [{ box_xywh: [8, 6, 16, 12], class_index: 0, area: 192, iscrowd: false }],
    });
  });

  it("reads the part that is chosen, from its file or its folder", async () => {
    assert.deepEqual(await namesOf("train"), ["a/b.jpg 1", "b.jpg 1"]);
    assert.deepEqual(await namesOf("val", at("set")), ["c.jpg 1"]);
  });

  it("asks for a part where there are several, and names those there are", async () => {
    await assert.rejects(read(), { reason: "CONFIG_INVALID", message: /parts train, val, and none is chosen/ });
    await assert.rejects(read("test"), { reason: "CONFIG_INVALID", message: /no part test; it has train, val/ });
  });

  it("needs no choice where all parts are the same, or there is one", async () => {
    await writeText(at("set/data.yaml"), "train: images/val\nval: images/val\nnames: [dog]");
    assert.deepEqual(await namesOf(), ["c.jpg 1"]);
    await writeText(at("set/data.yaml"), "val: [images/val, images/train]\nnames: [dog]");
    assert.deepEqual(await namesOf(), ["train/a/b.jpg 1", "train/b.jpg 1", "val/c.jpg 1"]);
  });

  it("finds parts relative to `path`, and where Roboflow's paths mean them", async () => {
    await writeText(at("elsewhere.yaml"), "path: set\nval: images/val\nnames: [dog]");
    assert.deepEqual(await namesOf(undefined, at("elsewhere.yaml")), ["c.jpg 1"]);
    await writeText(at("set/data.yaml"), "val: ../images/val\nnames: [dog]");
    assert.deepEqual(await namesOf(), ["c.jpg 1"]);
  });

  it("takes an image without labels, or with an empty file of them, for one without objects", async () => {
    await rm(at("set/labels/train/b.txt"));
    await writeText(at("set/labels/train/a/b.txt"), "");
    assert.deepEqual(await namesOf("train"), ["a/b.jpg 0", "b.jpg 0"]);
  });

  it("reads darknet's obj.data with a list of images and labels beside them", async () => {
    await writeText(at("dark/obj.data"), "classes = 1\ntrain = data/train.txt\nnames = data/obj.names\nbackup = b/");
    await writeText(at("dark/obj.names"), "dog\n");
    await writeText(at("dark/train.txt"), "data/obj_train_data/x.jpg\ndata/obj_train_data/y.jpg");
    for (const name of ["x", "y"]) {
      await writeImage(at("dark/obj_train_data", `${name}.jpg`), 1);
      await writeText(at("dark/obj_train_data", `${name}.txt`), LINE);
    }
    assert.deepEqual(await namesOf(undefined, at("dark")), ["x.jpg 1", "y.jpg 1"]);
  });

  it("reads a folder with class names, images and labels", async () => {
    await writeText(at("plain/classes.txt"), "dog\ncat");
    await writeImage(at("plain/images/x.jpg"), 1);
    await writeText(at("plain/labels/x.txt"), LINE);
    assert.deepEqual(await namesOf(undefined, at("plain")), ["x.jpg 1"]);
  });

  it("finds images in another folder, where only labels are with the configuration", async () => {
    await rm(at("set/images"), { recursive: true });
    await writeImage(at("photos2/b.jpg"), 1);
    const source = { annotations: at("set"), images: at("photos2"), split: "train" };
    const { imageFolder, images } = await readSource(source, { masks: false });
    assert.equal(imageFolder, at("photos2"));
    assert.deepEqual(
      images.map(({ file_name }) => file_name),
      ["b.jpg"],
    );
    assert.match((await faultsOf(source)).label_without_image?.join() ?? "", /labels\/train\/a\/b\.txt/);
  });

  it("counts polygons as masks, and keeps them if asked to", async () => {
    await writeText(at("set/labels/val/c.txt"), "0 0 0 0.5 0 0.5 0.5");
    const source = { annotations: at("set"), split: "val" };
    const { maskCount, objects } = await readSource(source, { masks: true });
    assert.equal(maskCount, 1);
    assert.deepEqual(objects.segmentations, ["[[0,0,16,0,16,12]]"]);
    assert.equal((await readSource(source, { masks: false })).objects.segmentations, undefined);
  });

  it("lists labels without an image, and bad lines with their file and number", async () => {
    await writeText(at("set/labels/val/gone.txt"), LINE);
    await writeText(at("set/labels/val/c.txt"), `${LINE}9 0.5 0.5 0.1 0.1`);
    const faults = await faultsOf({ annotations: at("set"), split: "val" });
    assert.match(faults.label_without_image?.join() ?? "", /gone\.txt has labels, and there is no image/);
    assert.match(faults.invalid_record?.join() ?? "", /val\/c\.txt line 2: no name is given for class 9/);
    await assert.rejects(read("val"), { reason: "ANNOTATIONS_INVALID", message: /c\.txt line 2/ });
  });

  it("lists labels that are not UTF-8", async () => {
    await writeText(at("set/labels/val/c.txt"), Buffer.from([0x30, 0xff]));
    assert.match(
      (await faultsOf({ annotations: at("set"), split: "val" })).invalid_record?.join() ?? "",
      /c\.txt is not UTF-8/,
    );
  });

  it("leaves an image that cannot be read to curation, without size and objects", async () => {
    await writeText(at("set/images/val/c.jpg"), "not an image");
    const { images } = await read("val");
    assert.deepEqual(images, [{ id: 1, file_name: "c.jpg", width_px: 0, height_px: 0, annotations: [] }]);
    assert.match(
      (await faultsOf({ annotations: at("set"), split: "val" })).unreadable_image?.join() ?? "",
      /val\/c\.jpg/,
    );
  });

  it("refuses an image that is turned by its EXIF orientation, whose labels may mean either way up", async () => {
    await noise(1).withMetadata({ orientation: 6 }).jpeg().toFile(at("set/images/val/c.jpg"));
    assert.equal((await sharp(at("set/images/val/c.jpg")).metadata()).orientation, 6);
    await assert.rejects(read("val"), { reason: "ANNOTATIONS_INVALID", message: /c\.jpg has the EXIF orientation 6/ });
  });

  it("refuses boxes outside their image, with file and line", async () => {
    await writeText(at("set/labels/val/c.txt"), "0 1.5 0.5 0.5 0.5");
    await assert.rejects(read("val"), { message: /val\/c\.txt line 1: the box \[40, 6, 16, 12\] lies outside/ });
  });

  it("refuses an image that is listed twice", async () => {
    await writeText(at("set/list.txt"), "images/val/c.jpg\n./images/val/c.jpg");
    await writeText(at("set/data.yaml"), "train: list.txt\nnames: [dog]");
    await assert.rejects(read(), { message: /c\.jpg is listed twice/ });
  });

  it("takes the same name in two folders for two images", async () => {
    await writeSplit("train", "x/1", "y/1");
    assert.deepEqual(await namesOf("train"), ["a/b.jpg 1", "b.jpg 1", "x/1.jpg 1", "y/1.jpg 1"]);
  });

  const refused: [what: string, yaml: string, message: RegExp][] = [
    ["no names", "train: images/train", /`names` undefined/],
    ["a name that is no text", "names: [[a]]", /names class 0 \["a"\]/],
    ["a class number that is none", "names: { a: b }", /numbers a class "a"/],
    ["what is not YAML", "names: [a", /data\.yaml is not YAML/],
    ["what is no mapping", "dog", /holds no `names`/],
  ];
  for (const [what, yaml, message] of refused) {
    it(`refuses a data.yaml with ${what}`, async () => {
      await writeText(at("set/data.yaml"), yaml);
      await assert.rejects(read(), { reason: "ANNOTATIONS_INVALID", message });
    });
  }

  it("refuses a part that is not there", async () => {
    await writeText(at("set/data.yaml"), "train: images/gone\nnames: [dog]");
    await assert.rejects(read(), { reason: "FILE_NOT_FOUND", message: /images\/gone.*data\.yaml/ });
  });

  it("refuses images that are outside the folder given for them", async () => {
    await assert.rejects(
      readAnnotations({ annotations: at("set"), split: "val", images: at("set/images/train") }, "error"),
      {
        reason: "CONFIG_INVALID",
        message: /val\/c\.jpg.* is not in .*images\/train/,
      },
    );
  });

  it("is read from files that a change of any of them changes", async () => {
    assert.deepEqual(await annotationFiles({ annotations: at("set"), split: "train" }), [
      at("set/data.yaml"),
      at("set/labels/train/a/b.txt"),
      at("set/labels/train/b.txt"),
    ]);
  });
});
