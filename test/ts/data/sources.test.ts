import assert from "node:assert/strict";
import { rename, rm, utimes, writeFile } from "node:fs/promises";
import { type DataSources, fingerprintData, readSources } from "../../../ts/data/sources.js";
import { cocoDocument, policies, temporaryFolder, writeImage, writeJson } from "./fixtures.js";
import { writeText } from "./formats/written-sets.js";

describe("the sources of the data", () => {
  const at = temporaryFolder();
  let data: DataSources;

  beforeEach(async () => {
    data = {
      labeled: { annotations: at("train.json"), images: at("train") },
      unlabeled: { images: [at("more")], rest_of_labeled: false },
      validation: { annotations: at("val.json"), images: at("val") },
      ...policies,
    };
    await writeJson(at("train.json"), cocoDocument([1, 2, 3, 4, 5, 6, 7, 8]));
    await writeJson(at("val.json"), cocoDocument([1, 2]));
    for (const name of ["train/1.jpg", "val/1.jpg", "more/b/1.jpg", "more/a.jpg"]) await writeImage(at(name), 1);
  });

  const names = async (split: string, change: Partial<DataSources> = {}, seed = 0): Promise<string[]> => {
    const { candidates } = await readSources({ ...data, ...change }, seed);
    return candidates.filter((candidate) => candidate.split === split).map(({ file_name }) => file_name);
  };
  const taking = (take: number): Partial<DataSources> => ({ labeled: { ...data.labeled, take } });

  it("are named relative to the image root", async () => {
    assert.deepEqual(await names("validation"), ["val/1.jpg", "val/2.jpg"]);
    assert.deepEqual(await names("unlabeled"), ["more/a.jpg", "more/b/1.jpg"]);
    assert.equal((await readSources(data, 0)).imageRoot, at());
  });

  it("draw the same labeled images for the same seed, whatever the order of the file, and others for another", async () => {
    const drawn = await names("labeled", taking(4));
    assert.equal(drawn.length, 4);
    await writeJson(at("train.json"), cocoDocument([8, 3, 5, 1, 7, 2, 6, 4]));
    assert.deepEqual(await names("labeled", taking(4)), drawn);
    const seeds = await Promise.all([1, 2, 3, 4].map((seed) => names("labeled", taking(4), seed)));
    assert.ok(new Set(seeds.map(String)).size > 1);
  });

  it("draw more images by adding to fewer", async () => {
    const more = await names("labeled", taking(5));
    assert.ok((await names("labeled", taking(2))).every((name) => more.includes(name)));
  });

  it("let the rest of the labeled images join without labels, if asked to", async () => {
    const labeled = await names("labeled", taking(5));
    const unlabeled = await names("unlabeled", { ...taking(5), unlabeled: { images: [], rest_of_labeled: true } });
    assert.deepEqual(
      [...labeled, ...unlabeled].sort(),
      [1, 2, 3, 4, 5, 6, 7, 8].map((id) => `train/${id}.jpg`),
    );
    assert.deepEqual((await readSources({ ...data, ...taking(5) }, 0)).leftOut.length, 3);
  });

  it("cannot be drawn from fewer than are to be taken", async () => {
    await assert.rejects(readSources({ ...data, ...taking(9) }, 0), {
      reason: "CONFIG_INVALID",
      message: /take` is 9, .*train\.json has 8/,
    });
  });

  it("count an image that two folders hold once", async () => {
    const unlabeled = { images: [at("more"), at("more/b")], rest_of_labeled: false };
    assert.deepEqual(await names("unlabeled", { unlabeled }), ["more/a.jpg", "more/b/1.jpg"]);
  });

  describe("in other formats", () => {
    beforeEach(async () => {
      await writeText(at("yolo/data.yaml"), "train: images/train\nval: images/val\nnames: [dog, cat]");
      for (const split of ["train", "val"]) {
        await writeImage(at("yolo/images", split, "1.jpg"), 1);
        await writeText(at("yolo/labels", split, "1.txt"), "1 0.5 0.5 0.5 0.5");
      }
    });
    const yolo = (split: string) => ({ annotations: at("yolo"), images: at("yolo/images"), split });

    it("are read by what their path is", async () => {
      const { categories, candidates } = await readSources(
        { ...data, labeled: yolo("train"), validation: yolo("val") },
        0,
      );
      assert.deepEqual(categories, [
        { id: 0, name: "dog" },
        { id: 1, name: "cat" },
      ]);
      assert.deepEqual(
        candidates.map(({ file_name }) => file_name),
        ["yolo/images/train/1.jpg", "yolo/images/val/1.jpg", "more/a.jpg", "more/b/1.jpg"],
      );
    });

    it("have classes by their names, where only one of two sets has ids of its own", async () => {
      const { candidates } = await readSources({ ...data, validation: yolo("val") }, 0);
      const validation = candidates.filter(({ split }) => split === "validation");
      assert.deepEqual(
        validation.map(({ listed }) => listed?.annotations.map(({ class_index }) => class_index)),
        [[0]],
      );
      await writeText(at("yolo/data.yaml"), "val: images/val\nnames: [dog, zebra]");
      await assert.rejects(readSources({ ...data, validation: yolo("val") }, 0), {
        reason: "CATEGORY_MISMATCH",
        message: /zebra/,
      });
    });

    it("have another fingerprint when a file of labels is written or added", async () => {
      const sources = { ...data, labeled: yolo("train"), validation: yolo("val") };
      const fingerprint = async (): Promise<string> => (await fingerprintData(sources)).sha256;
      const before = await fingerprint();
      await writeText(at("yolo/labels/val/1.txt"), "0 0.5 0.5 0.5 0.25");
      const written = await fingerprint();
      assert.notEqual(written, before);
      await writeText(at("yolo/labels/train/2.txt"), "");
      await writeImage(at("yolo/images/train/2.jpg"), 2);
      assert.notEqual(await fingerprint(), written);
    });

    it("are unlabeled by folder, glob or list", async () => {
      await writeText(at("list.txt"), "more/a.jpg\nyolo/images/val/1.jpg");
      const unlabeled = { images: [at("list.txt"), at("more/*/*")], rest_of_labeled: false };
      assert.deepEqual(await names("unlabeled", { unlabeled }), [
        "more/a.jpg",
        "yolo/images/val/1.jpg",
        "more/b/1.jpg",
      ]);
    });
  });

  it("have a fingerprint that stays while no file changes", async () => {
    const before = await fingerprintData(data);
    assert.deepEqual(await fingerprintData(data), before);
    assert.equal(before.files, 6);
    await writeFile(at("more/notes.txt"), "nothing to do with it");
    assert.deepEqual(await fingerprintData(data), before);
  });

  const changes: [string, () => Promise<void>][] = [
    ["an image is written", () => writeImage(at("more/a.jpg"), 2, 33, 24)],
    ["an image is touched", () => utimes(at("val/1.jpg"), 1, 1)],
    ["an image is added", () => writeImage(at("train/9.jpg"), 2)],
    ["an image is removed", () => rm(at("train/1.jpg"))],
    ["an image is renamed", () => rename(at("more/a.jpg"), at("more/c.jpg"))],
    ["an annotation file is written", () => writeJson(at("val.json"), cocoDocument([1]))],
    ["an annotation file is removed", () => rm(at("train.json"))],
  ];
  for (const [what, change] of changes) {
    it(`have another fingerprint when ${what}`, async () => {
      const before = await fingerprintData(data);
      await change();
      assert.notEqual((await fingerprintData(data)).sha256, before.sha256);
    });
  }

  it("are refused when a folder is missing", async () => {
    await assert.rejects(fingerprintData({ ...data, unlabeled: { images: [at("none")], rest_of_labeled: false } }), {
      reason: "FILE_NOT_FOUND",
      message: /none/,
    });
  });
});
