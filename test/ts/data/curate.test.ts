import assert from "node:assert/strict";
import { copyFile, mkdir, rm, truncate, writeFile } from "node:fs/promises";
import type { Dataset } from "../../../ts/core/dataset.js";
import { type CuratedData, curate } from "../../../ts/data/curate.js";
import type { LeakEvidence } from "../../../ts/data/evidence.js";
import type { Inspection } from "../../../ts/data/inspect-image.js";
import { decodeLines } from "../../../ts/data/json-lines.js";
import { decodeManifest } from "../../../ts/data/manifest.js";
import type { DataSources } from "../../../ts/data/sources.js";
import { encodeSplit } from "../../../ts/data/splits/split-file.js";
import type { ArtifactRef } from "../../../ts/gen/cassl/v1/artifact_service.js";
import type { FileStamp } from "../../../ts/images/image-file.js";
import { encodeCounts, fromPolygon, toCompressed, toUncompressed } from "../../../ts/masks/index.js";
import {
  type CocoDocument,
  cocoDocument,
  memoryArtifacts,
  noise,
  policies,
  scene,
  temporaryFolder,
  writeImage,
  writeJson,
} from "./fixtures.js";

describe("curation", () => {
  const at = temporaryFolder();
  let data: DataSources;
  let artifacts: ReturnType<typeof memoryArtifacts>;
  let progress: [done: number, total: number][];

  beforeEach(async () => {
    artifacts = memoryArtifacts();
    progress = [];
    data = {
      labeled: { annotations: at("train.json"), images: at("train") },
      unlabeled: { images: [at("more")], rest_of_labeled: false },
      validation: { annotations: at("val.json"), images: at("val") },
      ...policies,
    };
    await writeJson(at("train.json"), cocoDocument([1, 2, 3, 4]));
    await writeJson(at("val.json"), cocoDocument([1, 2]));
    for (const id of [1, 2, 3, 4]) await writeImage(at(`train/${id}.jpg`), id);
    for (const id of [1, 2]) await writeImage(at(`val/${id}.jpg`), 10 + id);
    for (const id of [1, 2, 3]) await writeImage(at(`more/${id}.png`), 20 + id, 20 + id, 30);
  });

  const run = (
    change: Partial<DataSources> = {},
    seed = 0,
    signal = new AbortController().signal,
  ): Promise<CuratedData> =>
    curate({ ...data, ...change }, seed, {
      artifacts,
      signal,
      onProgress: (done, total) => progress.push([done, total]),
    });
  const load = async (ref: ArtifactRef): Promise<Dataset> => decodeManifest(await artifacts.read(ref.sha256));
  const names = async (ref: ArtifactRef): Promise<string[]> =>
    (await load(ref)).images.map(({ file_name }) => file_name);
  const ledger = async (curated: CuratedData): Promise<Record<string, string>[]> =>
    Buffer.from(await artifacts.read(curated.ledger.sha256))
      .toString()
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as Record<string, string>);
  const edit = async (file: string, change: (coco: CocoDocument) => void): Promise<void> => {
    const coco = cocoDocument(file === "val.json" ? [1, 2] : [1, 2, 3, 4]);
    change(coco);
    await writeJson(at(file), coco);
  };

  it("leaves three datasets, whose file names lead from the image root to the images", async () => {
    const curated = await run();
    assert.equal(curated.image_root, at());
    assert.deepEqual(await names(curated.labeled), ["train/1.jpg", "train/2.jpg", "train/3.jpg", "train/4.jpg"]);
    assert.deepEqual(await names(curated.validation), ["val/1.jpg", "val/2.jpg"]);
    const unlabeled = await load(curated.unlabeled);
    assert.deepEqual(unlabeled.categories, []);
    assert.deepEqual(
      unlabeled.images.map(({ sha256: _, ...image }) => image),
      [1, 2, 3].map((id) => ({ id, file_name: `more/${id}.png`, width_px: 20 + id, height_px: 30, annotations: [] })),
    );
    assert.equal(curated.labeled_fraction, 1);
    assert.deepEqual(curated.counts, {
      labeled: 4,
      unlabeled: 3,
      validation: 2,
      dropped: 0,
      boxes: { labeled: { rounded: 0, clipped: 0, dropped: 0 }, validation: { rounded: 0, clipped: 0, dropped: 0 } },
    });
  });

  it("gives the same artifacts for the same data, whatever the order of the records", async () => {
    const curated = await run();
    assert.deepEqual(await run(), curated);
    await writeJson(at("train.json"), cocoDocument([3, 1, 4, 2]));
    assert.deepEqual(await run(), curated);
  });

  it("reports progress up to the last image", async () => {
    await run();
    assert.deepEqual(progress.at(-1), [9, 9]);
    assert.deepEqual(
      progress.map(([done]) => done),
      [1, 2, 3, 4, 5, 6, 7, 8, 9],
    );
  });

  describe("with masks", () => {
    /** A triangle in each box. */
    const polygon = ({ annotations }: CocoDocument): void => {
      for (const annotation of annotations) {
        const [x, y, width, height] = annotation["bbox"] as [number, number, number, number];
        annotation["segmentation"] = [[x, y, x + width, y, x, y + height]];
      }
    };
    const maskedSources = async (): Promise<void> => {
      for (const file of ["train.json", "val.json"]) await edit(file, polygon);
    };

    it("keeps the pixels of objects, as pycocotools writes them, and nothing of how the file has them", async () => {
      await maskedSources();
      const curated = await run({ masks: true });
      const images = [...(await load(curated.labeled)).images, ...(await load(curated.validation)).images];
      assert.equal(images.length, 6);
      for (const { annotations, width_px, height_px } of images) {
        const [{ box_xywh, mask, ...rest } = assert.fail()] = annotations;
        const [x, y, width, height] = box_xywh;
        const drawn = fromPolygon([x, y, x + width, y, x, y + height], width_px, height_px);
        assert.equal(mask, encodeCounts(drawn.counts));
        assert.deepEqual(Object.keys(rest).sort(), ["area", "class_index", "iscrowd"]);
      }
    });

    it("gives the same artifacts as ever where no masks are wanted", async () => {
      const without = await run();
      await maskedSources();
      const { labeled, validation } = await run();
      assert.deepEqual([labeled, validation], [without.labeled, without.validation]);
    });

    it("takes any of COCO's forms, and the masks of YOLO's polygons", async () => {
      const triangle = fromPolygon([4, 4, 14, 4, 4, 12], 32, 24);
      await maskedSources();
      for (const segmentation of [toCompressed(triangle), toUncompressed(triangle), [[4, 4, 14, 4, 4, 12]]]) {
        await edit("train.json", (coco) => {
          polygon(coco);
          Object.assign(coco.annotations[0] ?? {}, { segmentation });
        });
        const [image] = (await load((await run({ masks: true })).labeled)).images;
        assert.equal(image?.annotations[0]?.mask, encodeCounts(triangle.counts));
      }
    });

    it("refuses objects without a mask before it looks into an image, and names them", async () => {
      await maskedSources();
      for (const [file, name] of [
        ["train.json", "labeled"],
        ["val.json", "validation"],
      ] as const) {
        await edit(file, (coco) => {
          polygon(coco);
          delete coco.annotations[1]?.["segmentation"];
        });
        await assert.rejects(run({ masks: true }), {
          reason: "ANNOTATIONS_INVALID",
          message: new RegExp(`${name} set.*2\\.jpg: the object .* has no segmentation`),
          remedy: /detector family without masks/,
        });
        await maskedSources();
      }
      assert.deepEqual(progress, []);
    });

    it("asks for no masks of labeled crowds, nor of labeled images that are not taken", async () => {
      await maskedSources();
      await edit("train.json", (coco) => {
        polygon(coco);
        Object.assign(coco.annotations[2] ?? {}, { iscrowd: 1, segmentation: [] });
      });
      await run({ masks: true });
      await edit("train.json", (coco) => {
        polygon(coco);
        delete coco.annotations[3]?.["segmentation"];
      });
      await assert.rejects(run({ masks: true }), { reason: "ANNOTATIONS_INVALID", message: /has no segmentation/ });
      const split_file = at("split.json");
      const split = { name: "three", percent: 75, fold: 0, seed: 0, image_ids: [1, 2, 3] };
      await writeFile(split_file, encodeSplit(split));
      await run({ masks: true, labeled: { ...data.labeled, split_file } });
    });

    it("refuses a mask that cannot be read, and one of another size than its image", async () => {
      await maskedSources();
      const wrong: [segmentation: unknown, message: RegExp][] = [
        [[[1, 2, 3]], /wrong segmentation: A polygon has 3 numbers/],
        [{ size: [24, 32], counts: "~" }, /wrong segmentation: The counts/],
        [toCompressed(fromPolygon([1, 1, 9, 1, 1, 9], 24, 32)), /24x32 px does not fit an image of 32x24 px/],
      ];
      for (const [segmentation, message] of wrong) {
        await edit("train.json", (coco) => {
          polygon(coco);
          Object.assign(coco.annotations[0] ?? {}, { segmentation });
        });
        await assert.rejects(run({ masks: true }), { reason: "ANNOTATIONS_INVALID", message });
      }
    });
  });

  it("stops when it is cancelled", async () => {
    await assert.rejects(run({}, 0, AbortSignal.abort()), { name: "AbortError" });
  });

  it("takes some of the labeled images, and moves the rest over without labels", async () => {
    const some = { labeled: { ...data.labeled, take: 3 }, unlabeled: { images: [], rest_of_labeled: true } };
    const curated = await run(some);
    assert.equal(curated.labeled_fraction, 0.75);
    assert.deepEqual(
      [...(await names(curated.labeled)), ...(await names(curated.unlabeled))].sort(),
      [1, 2, 3, 4].map((id) => `train/${id}.jpg`),
    );
    assert.deepEqual(
      (await load(curated.unlabeled)).images.map(({ id, annotations }) => [id, annotations]),
      [[1, []]],
    );
  });

  it("accounts for every image in the ledger", async () => {
    await copyFile(at("train/1.jpg"), at("more/copy.jpg"));
    await writeFile(at("more/text.jpg"), "not an image");
    const curated = await run({ labeled: { ...data.labeled, take: 3 }, bad_images: "drop" });
    const records = await ledger(curated);
    const { labeled, unlabeled, validation, dropped } = curated.counts;
    assert.equal(records.length, labeled + unlabeled + validation + dropped);
    assert.equal(records.filter(({ fate }) => fate === "used").length, labeled + unlabeled + validation);
    const sums = curated.fates.map(({ split, fate, reason = "", images }) => `${split} ${fate} ${reason} ${images}`);
    assert.ok(sums.includes("unlabeled dropped cannot be decoded 1"), sums.join());
    assert.equal(
      curated.fates.reduce((sum, { images }) => sum + images, 0),
      records.length,
    );
    assert.deepEqual([labeled, unlabeled, validation], [3, (await names(curated.unlabeled)).length, 2]);
    const reasons = records
      .filter(({ fate }) => fate === "dropped")
      .map(({ split, file_name, reason }) => `${split} ${file_name?.split("/")[0]}: ${reason?.split(":")[0]}`);
    assert.ok(reasons.includes("labeled train: left out of the labeled set"));
    assert.ok(reasons.includes("unlabeled more: cannot be decoded"));
  });

  it("drops an unlabeled image that is a labeled one under another name", async () => {
    await copyFile(at("train/1.jpg"), at("more/copy.jpg"));
    const curated = await run();
    assert.equal(curated.counts.unlabeled, 3);
    const dropped = (await ledger(curated)).filter(({ fate }) => fate === "dropped");
    assert.equal(dropped.length, 1);
    const { file_name, split, reason, detail, sha256 } = dropped[0] ?? {};
    assert.deepEqual([file_name, split, reason], ["more/copy.jpg", "unlabeled", "same content as another image"]);
    assert.equal(detail, "labeled train/1.jpg");
    assert.match(sha256 ?? "", /^[0-9a-f]{64}$/);
  });

  it("refuses a labeled image that is a validation image too", async () => {
    await copyFile(at("train/1.jpg"), at("val/2.jpg"));
    await assert.rejects(run(), { reason: "ANNOTATIONS_INVALID", message: /train\/1\.jpg .*val\/2\.jpg/ });
  });

  describe("with the leak firewall", () => {
    beforeEach(async () => {
      await scene(1).jpeg().toFile(at("val/3.jpg"));
      await scene(1).flop().jpeg({ quality: 50 }).toFile(at("more/flipped.jpg"));
      await scene(2).jpeg().toFile(at("more/other.jpg"));
      const coco = cocoDocument([1, 2, 3]);
      Object.assign(coco.images[2] ?? {}, { width: 320, height: 240 });
      await writeJson(at("val.json"), coco);
    });
    const evidence = async ({ leaks }: CuratedData): Promise<LeakEvidence[]> =>
      [...decodeLines(await artifacts.read(leaks.sha256))] as LeakEvidence[];

    it("keeps near-duplicates of validation images out of the unlabeled set, with evidence", async () => {
      const curated = await run();
      assert.ok(!(await names(curated.unlabeled)).includes("more/flipped.jpg"));
      assert.ok((await names(curated.unlabeled)).includes("more/other.jpg"));
      const [leak, ...others] = await evidence(curated);
      assert.deepEqual(others, []);
      assert.deepEqual([leak?.file_name, leak?.validation, leak?.mirrored], ["more/flipped.jpg", "val/3.jpg", true]);
      assert.ok(leak?.previews);
      const line = (await ledger(curated)).find(({ file_name }) => file_name === "more/flipped.jpg");
      assert.equal(line?.["reason"], "near-duplicate of a validation image");
      assert.match(line["detail"] ?? "", /^val\/3\.jpg, distance 0\.\d+$/);
    });

    it("refuses labeled ones, or drops them", async () => {
      await scene(1).jpeg({ quality: 40 }).toFile(at("train/1.jpg"));
      await edit("train.json", (coco) => Object.assign(coco.images[0] ?? {}, { width: 320, height: 240 }));
      await assert.rejects(run(), {
        reason: "ANNOTATIONS_INVALID",
        message: /train\/1\.jpg shows the same as .*val\/3/,
      });
      const curated = await run({ leak_firewall: { ...policies.leak_firewall, labeled: "drop" } });
      assert.deepEqual(await names(curated.labeled), ["train/2.jpg", "train/3.jpg", "train/4.jpg"]);
    });

    it("lets everything pass if it is turned off", async () => {
      await copyFile(at("val/1.jpg"), at("train/1.jpg"));
      await copyFile(at("val/1.jpg"), at("more/copy.jpg"));
      const curated = await run({ leak_firewall: { ...policies.leak_firewall, enabled: false } });
      assert.ok((await names(curated.labeled)).includes("train/1.jpg"));
      assert.ok((await names(curated.unlabeled)).includes("more/flipped.jpg"));
      assert.deepEqual(await evidence(curated), []);
    });

    it("names series in the ledger", async () => {
      await scene(2).jpeg({ quality: 50 }).toFile(at("more/other-2.jpg"));
      const lines = await ledger(await run());
      const series = lines.filter((line) => line["series"] !== undefined);
      assert.deepEqual(
        series.map((line) => [line["file_name"], line["series"]]),
        [
          ["more/other-2.jpg", "more/other-2.jpg"],
          ["more/other.jpg", "more/other-2.jpg"],
        ],
      );
      assert.ok(lines.every((line) => line["fate"] === "dropped" || /^[0-9a-f]{16}$/.test(line["picture_hash"] ?? "")));
    });
  });

  it("goes on where it stopped, with what the cache has", async () => {
    const saved = new Map<string, Inspection>();
    const inspections = {
      find: (path: string) => saved.get(path),
      save: (path: string, _: FileStamp, inspection: Inspection) => void saved.set(path, inspection),
    };
    const stop = new AbortController();
    const context = { artifacts, inspections, signal: stop.signal };
    const onProgress = (done: number): void => {
      if (done === 1) stop.abort();
    };
    await assert.rejects(curate(data, 0, { ...context, onProgress }), { name: "AbortError" });
    assert.ok(saved.size >= 1 && saved.size < 9, `${saved.size} of 9`);
    const before = new Map(saved);
    const resumed = await curate(data, 0, { ...context, signal: new AbortController().signal, onProgress: () => {} });
    assert.ok([...before].every(([path, inspection]) => saved.get(path) === inspection));
    assert.deepEqual(resumed, await run());
  });

  it("keeps images of one name in different folders apart", async () => {
    await writeImage(at("more/a/1.jpg"), 40);
    await writeImage(at("more/b/1.jpg"), 50);
    const curated = await run();
    const found = (await names(curated.unlabeled)).filter((name) => name.endsWith("1.jpg"));
    assert.deepEqual(found, ["more/a/1.jpg", "more/b/1.jpg"]);
  });

  it("takes the images that a split names, with its classes alone", async () => {
    const split = { name: "few", percent: 50, fold: 0, seed: 0, classes: ["cat"], image_ids: [1, 2, 3] };
    await writeFile(at("split.json"), encodeSplit(split));
    const labeled = { ...data.labeled, split_file: at("split.json") };
    const curated = await run({ labeled, unlabeled: { images: [], rest_of_labeled: true } });
    const { images } = await load(curated.labeled);
    assert.deepEqual(
      images.map(({ id, annotations }) => [id, annotations.length]),
      [
        [1, 1],
        [2, 0],
        [3, 1],
      ],
    );
    assert.deepEqual(await names(curated.unlabeled), ["train/4.jpg"]);
    assert.equal(curated.labeled_fraction, 0.75);
    assert.deepEqual(
      (await load(curated.validation)).images.map(({ annotations }) => annotations.length),
      [1, 0],
    );
    await writeFile(at("split.json"), encodeSplit({ ...split, image_ids: [1, 9], classes: ["cow"] }));
    await assert.rejects(run({ labeled }), {
      reason: "CONFIG_INVALID",
      message: /split\.json names image 9, class cow, which .*train\.json does not have/,
    });
  });

  it("refuses an image that is missing, cut off or no image, by its path", async () => {
    await rm(at("val/2.jpg"));
    await truncate(at("train/3.jpg"), 300);
    await writeFile(at("more/2.png"), "not an image");
    await assert.rejects(run(), {
      reason: "IMAGE_INVALID",
      message: /train\/3\.jpg: .*val\/2\.jpg: .*more\/2\.png: /s,
    });
  });

  it("drops such images if it is told to", async () => {
    await truncate(at("train/3.jpg"), 300);
    await writeFile(at("more/2.png"), "not an image");
    const curated = await run({ bad_images: "drop" });
    assert.deepEqual([curated.counts.labeled, curated.counts.unlabeled, curated.counts.dropped], [3, 2, 2]);
    assert.equal(curated.labeled_fraction, 0.75);
  });

  it("refuses an image of another size than annotated, and tells of its EXIF orientation", async () => {
    await noise(2, 24, 32).withMetadata({ orientation: 6 }).jpeg().toFile(at("train/2.jpg"));
    await assert.rejects(run(), {
      reason: "ANNOTATIONS_INVALID",
      message: /train\/2\.jpg is 24 x 32 px, annotated as 32 x 24; .*EXIF/,
    });
  });

  it("refuses an annotation file or a folder that is not there", async () => {
    await assert.rejects(run({ validation: { ...data.validation, annotations: at("none.json") } }), {
      reason: "FILE_NOT_FOUND",
      message: /none\.json/,
    });
    await assert.rejects(run({ unlabeled: { images: [at("none")], rest_of_labeled: false } }), {
      reason: "FILE_NOT_FOUND",
      message: /none/,
    });
  });

  it("refuses an empty labeled or validation set", async () => {
    await edit("val.json", (coco) => Object.assign(coco, { images: [], annotations: [] }));
    await assert.rejects(run(), { reason: "DATASET_EMPTY", message: /validation set has no images/ });
    await edit("train.json", (coco) => Object.assign(coco, { images: [], annotations: [] }));
    await assert.rejects(run(), { reason: "DATASET_EMPTY", message: /labeled set has no images/ });
  });

  it("refuses a labeled set without boxes, or with crowds only", async () => {
    await edit("train.json", (coco) => coco.annotations.forEach((record) => (record["iscrowd"] = 1)));
    await assert.rejects(run(), { reason: "DATASET_EMPTY", message: /labeled set has 4 images, but no box/ });
  });

  it("refuses a set that dropping bad images empties", async () => {
    for (const id of [1, 2]) await writeFile(at(`val/${id}.jpg`), "not an image");
    await assert.rejects(run({ bad_images: "drop" }), { reason: "DATASET_EMPTY", message: /validation/ });
  });

  it("leaves it to the arms whether an empty unlabeled set will do", async () => {
    await rm(at("more"), { recursive: true });
    await mkdir(at("more"));
    assert.equal((await run()).counts.unlabeled, 0);
  });

  it("refuses a validation class that the labeled file lacks", async () => {
    await edit("val.json", (coco) => {
      coco.categories.push({ id: 7, name: "fox" });
      coco.annotations.forEach((record) => (record["category_id"] = 7));
    });
    await assert.rejects(run(), { reason: "CATEGORY_MISMATCH", message: /fox/ });
  });

  it("refuses a validation class of which no labeled image has an object", async () => {
    await edit("train.json", (coco) => coco.annotations.forEach((record) => (record["category_id"] = 2)));
    await assert.rejects(run(), { reason: "CATEGORY_MISMATCH", message: /classes dog,/ });
  });

  it("goes by the images that were taken", async () => {
    const single = { labeled: { ...data.labeled, take: 1 } };
    await assert.rejects(run(single), { reason: "CATEGORY_MISMATCH", message: /cat|dog/ });
  });

  it("accepts a class that is only listed, on either side", async () => {
    const fox = (coco: CocoDocument): void => void coco.categories.push({ id: 7, name: "fox" });
    await edit("val.json", fox);
    assert.equal((await load((await run()).validation)).categories.length, 2);
    await edit("train.json", fox);
    assert.equal((await load((await run()).validation)).categories.length, 3);
  });

  it("gives validation the class indices of the labeled set", async () => {
    await edit("val.json", (coco) => {
      coco.categories = [{ id: 5, name: "dog" }];
      coco.annotations.forEach((record) => (record["category_id"] = 5));
    });
    const validation = await load((await run()).validation);
    assert.deepEqual(validation.categories, [
      { id: 2, name: "cat" },
      { id: 5, name: "dog" },
    ]);
    assert.deepEqual(
      validation.images.map(({ annotations }) => annotations[0]?.class_index),
      [1, 1],
    );
  });

  it("counts the boxes that the policy changed", async () => {
    await edit("train.json", (coco) => Object.assign(coco.annotations[0] ?? {}, { bbox: [25, 4, 10, 8] }));
    await assert.rejects(run(), { reason: "ANNOTATIONS_INVALID", message: /annotation 101/ });
    assert.deepEqual((await run({ bad_boxes: "clip" })).counts.boxes.labeled, { rounded: 0, clipped: 1, dropped: 0 });
  });
});
