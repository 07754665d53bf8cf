import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { openArtifactStore } from "../../../ts/controller/artifacts.js";
import type { ArtifactStore } from "../../../ts/core/artifacts.js";
import { groupShards, readPredictions } from "../../../ts/labels/predictions.js";
import { writeShard } from "../../../ts/labels/store.js";
import { readMetadata } from "../../../ts/parquet/index.js";
import { temporaryFolder } from "../data/fixtures.js";
import { columnsOf, type Prediction, type ShardImage, storePredictions } from "./fixtures.js";

const one: Prediction = { box: [1, 2, 3, 4], score: 0.5, classIndex: 7 };
const other: Prediction = { box: [5, 6, 7, 8], score: 0.25, classIndex: 1 };
const image = (index: number, ...predictions: Prediction[]): ShardImage => ({ index, predictions });

describe("reading the predictions of a dataset", () => {
  const path = temporaryFolder();
  let artifacts: ArtifactStore;

  beforeEach(async () => {
    artifacts = await openArtifactStore(path("artifacts"));
  });

  const read = async (shards: ShardImage[][], imageCount: number) => {
    const all = [];
    for await (const predictions of readPredictions(await storePredictions(shards, artifacts), imageCount, artifacts))
      all.push(predictions);
    return all;
  };

  it("gives every image in order, with its own boxes", async () => {
    const all = await read([[image(0, one, other), image(1)], [image(2, other)], [image(3)]], 4);
    assert.deepEqual(
      all.map(({ imageIndex, score }) => [imageIndex, ...score]),
      [[0, 0.5, 0.25], [1], [2, 0.25], [3]],
    );
    assert.deepEqual(
      all.map(({ boxXyxy, classIndex }) => [...boxXyxy, ...classIndex]),
      [[1, 2, 3, 4, 5, 6, 7, 8, 7, 1], [], [5, 6, 7, 8, 1], []],
    );
    assert.equal(all[0]?.masks, undefined);
  });

  it("gives masks, where the model has some", async () => {
    const all = await read([[image(0, { ...one, mask: "01" }, { ...other, mask: "o1" })], [image(1)]], 2);
    assert.deepEqual(
      all.map(({ masks }) => masks),
      [["01", "o1"], []],
    );
  });

  it("gives nothing of no images", async () => {
    assert.deepEqual(await read([], 0), []);
  });

  it("refuses predictions with a missing, repeated or foreign image", async () => {
    const refuses = async (shards: ShardImage[][], imageCount: number, message: RegExp) => {
      await assert.rejects(read(shards, imageCount), { reason: "ARTIFACT_CORRUPT", message });
    };
    await refuses([[image(0, one)], [image(2, one)]], 2, /images 0 to 1 have boxes of 0 to 2/);
    await refuses([[image(1, one)], [image(0, one)]], 2, /out of order/);
    await refuses([[image(0)]], 2, /cover 1 of 2/);
    await refuses([[image(0), image(1)]], 1, /cover 2 of 1/);
  });

  it("refuses shards with other numbers of boxes than their manifest says", async () => {
    const { sha256 } = await storePredictions([[image(0, one, other)]], artifacts);
    const manifest = JSON.parse(Buffer.from(await artifacts.read(sha256)).toString());
    for (const box_count of [1, 3]) {
      const changed = { ...manifest, shards: [{ ...manifest.shards[0], box_count }] };
      const raw = await artifacts.put(Buffer.from(JSON.stringify(changed)));
      await assert.rejects(readPredictions(raw, 1, artifacts).next(), { reason: "ARTIFACT_CORRUPT", message: /boxes/ });
    }
  });

  it("takes a shard that was damaged for missing", async () => {
    const { sha256 } = await storePredictions([[image(0, one)]], artifacts);
    const [shard] = JSON.parse(Buffer.from(await artifacts.read(sha256)).toString()).shards;
    await writeFile(await artifacts.path(shard.sha256), "damaged");
    await assert.rejects(readPredictions({ sha256, size_bytes: 0 }, 1, artifacts).next(), {
      reason: "ARTIFACT_NOT_FOUND",
    });
  });
});

describe("groups of shards", () => {
  const shard = (index: number, box_count: number) => ({ shard: index, image_count: 64, box_count, sha256: "" });

  it("hold about a million boxes, and every shard once", () => {
    const shards = [400_000, 400_000, 400_000, 0, 2_000_000, 5].map((boxes, index) => shard(index, boxes));
    assert.deepEqual(
      groupShards(shards).map(({ firstImage, imageCount, boxCount, shards: members }) => [
        firstImage,
        imageCount,
        boxCount,
        members.map(({ shard: index }) => index),
      ]),
      [
        [0, 192, 1_200_000, [0, 1, 2]],
        [192, 128, 2_000_000, [3, 4]],
        [320, 64, 5, [5]],
      ],
    );
    assert.deepEqual(groupShards([]), []);
  });

  it("hold no more than some thousand shards where these have few boxes", () => {
    const groups = groupShards(Array.from({ length: 10_000 }, (_, index) => shard(index, 1)));
    assert.deepEqual(
      groups.map(({ shards }) => shards.length),
      [4096, 4096, 1808],
    );
  });
});

describe("storing a shard", () => {
  const path = temporaryFolder();
  const provenance = { dataset: "00", model: "11", shard: 3 };

  it("says in the file where it comes from, and counts images without boxes", async () => {
    await writeShard(path("a.parquet"), columnsOf([image(12), image(13, one), image(14)]), provenance);
    const { rows, metadata } = await readMetadata(path("a.parquet"));
    assert.equal(rows, 1);
    assert.deepEqual(Object.fromEntries(metadata), {
      "cassl.content": "predictions",
      "cassl.version": "1",
      "cassl.masks": "false",
      "cassl.dataset": "00",
      "cassl.model": "11",
      "cassl.shard": "3",
      "cassl.first_image": "12",
      "cassl.image_count": "3",
    });
  });
});
