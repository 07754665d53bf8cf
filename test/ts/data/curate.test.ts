import assert from "node:assert/strict";
import { copyFile, mkdir, rm, truncate, writeFile } from "node:fs/promises";
import type { Dataset } from "../../../ts/core/dataset.js";
import { type CuratedData, curate } from "../../../ts/data/curate.js";
import { decodeManifest } from "../../../ts/data/manifest.js";
import type { DataSources } from "../../../ts/data/sources.js";
import type { ArtifactRef } from "../../../ts/gen/cassl/v1/artifact_service.js";
import {
  type CocoDocument,
  cocoDocument,
  memoryArtifacts,
  noise,
  policies,
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
    assert.deepEqual([labeled, unlabeled, validation], [3, (await names(curated.unlabeled)).length, 2]);
    const reasons = records
      .filter(({ fate }) => fate === "dropped")
      .map(({ split, file_name, reason }) => `${split} ${file_name?.split("/")[0]}: ${reason?.split(":")[0]}`);
    assert.ok(reasons.includes("labeled train: left out by data.labeled.take"));
    assert.ok(reasons.includes("unlabeled more: cannot be decoded"));
  });

  it("drops an unlabeled image that is a labeled one under another name", async () => {
    await copyFile(at("train/1.jpg"), at("more/copy.jpg"));
    const curated = await run();
    assert.equal(curated.counts.unlabeled, 3);
    assert.deepEqual(await ledger(curated).then((records) => records.filter(({ fate }) => fate === "dropped")), [
      {
        file_name: "more/copy.jpg",
        split: "unlabeled",
        fate: "dropped",
        reason: "same content as labeled train/1.jpg",
      },
    ]);
  });

  it("refuses a labeled image that is a validation image too", async () => {
    await copyFile(at("train/1.jpg"), at("val/2.jpg"));
    await assert.rejects(run(), { reason: "ANNOTATIONS_INVALID", message: /train\/1\.jpg .*val\/2\.jpg/ });
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
