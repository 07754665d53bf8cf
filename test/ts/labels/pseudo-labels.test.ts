import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { openArtifactStore } from "../../../ts/controller/artifacts.js";
import type { ArtifactStore } from "../../../ts/core/artifacts.js";
import { canonicalJson } from "../../../ts/core/hash.js";
import { seededRandom } from "../../../ts/core/random.js";
import type { ArtifactRef } from "../../../ts/gen/cassl/v1/artifact_service.js";
import {
  previewSelection,
  readPseudoLabels,
  selectPseudoLabels,
  writePseudoLabels,
} from "../../../ts/labels/pseudo-labels.js";
import { selectRows, takeRows } from "../../../ts/labels/select-rows.js";
import { readBoxes, writeBoxes } from "../../../ts/labels/store.js";
import { readMetadata, writeParquet } from "../../../ts/parquet/index.js";
import { temporaryFolder } from "../data/fixtures.js";
import { missingPython, runPython } from "../evaluation/python.js";
import { type Prediction, type ShardImage, storePredictions } from "./fixtures.js";

const policy = { score_threshold: 0.5, nms_iou: 0.5, max_per_image: 3, min_side_px: 2 };
const categories = [{ id: 4, name: 'it\'s an "object"' }];
const p = (left: number, score: number, classIndex = 0): Prediction => ({
  box: [left, 10, left + 20, 30],
  score,
  classIndex,
});
const shards: ShardImage[][] = [
  [
    { index: 0, predictions: [p(10, 0.75), p(11, 0.625), p(50, 0.5)] },
    { index: 1, predictions: [p(10, 0.25)] },
  ],
  [
    { index: 2, predictions: [] },
    { index: 3, predictions: [p(10, 1)] },
  ],
];

describe("the pseudo labels of a dataset", () => {
  const path = temporaryFolder();
  let artifacts: ArtifactStore;

  beforeEach(async () => {
    artifacts = await openArtifactStore(path("artifacts"));
  });

  it("are those of every image, and the stats account for every prediction and image", async () => {
    const raw = await storePredictions(shards, artifacts);
    const { labels, stats } = await selectPseudoLabels(raw, categories, policy, artifacts);
    const { images, ...rest } = await readPseudoLabels(await artifacts.path(labels.sha256));
    const read = [];
    for await (const { imageIndex, boxXyxy, score } of images) read.push([imageIndex, [...boxXyxy], [...score]]);
    assert.deepEqual(read, [
      [0, [10, 10, 30, 30, 50, 10, 70, 30], [0.75, 0.5]],
      [3, [10, 10, 30, 30], [1]],
    ]);
    assert.deepEqual(rest, { categories, imageCount: 4 });
    const { predictions_by_score, labels_by_score, ...counts } = stats;
    assert.deepEqual(counts, {
      images: 4,
      pseudo_labels: 3,
      empty_images: 2,
      predictions: 5,
      mean_score: 0.75,
      dropped: { score: 1, min_side: 0, nms: 1, max_per_image: 0 },
      images_by_labels: [2, 1, 1],
    });
    const parts = (histogram: readonly number[]) => histogram.flatMap((count, at) => (count > 0 ? [[at, count]] : []));
    assert.deepEqual(
      parts(predictions_by_score),
      [5, 10, 12, 15, 19].map((part) => [part, 1]),
    );
    assert.deepEqual(
      parts(labels_by_score),
      [10, 15, 19].map((part) => [part, 1]),
    );
  });

  it("say where they come from", async () => {
    const raw = await storePredictions(shards, artifacts);
    const { labels } = await selectPseudoLabels(raw, categories, policy, artifacts);
    const { metadata } = await readMetadata(await artifacts.path(labels.sha256));
    assert.deepEqual(Object.fromEntries(metadata), {
      "cassl.content": "pseudo_labels",
      "cassl.version": "1",
      "cassl.masks": "false",
      "cassl.dataset": "00",
      "cassl.model": "11",
      "cassl.predictions": raw.sha256,
      "cassl.image_count": "4",
      "cassl.policy": canonicalJson(policy),
      "cassl.categories": canonicalJson(categories),
    });
  });

  it("keep the masks of predictions", async () => {
    const masked = [
      [
        {
          index: 0,
          predictions: [
            { ...p(10, 0.75), mask: "01" },
            { ...p(11, 0.5), mask: "9" },
            { ...p(70, 0.5), mask: "o1" },
          ],
        },
      ],
    ];
    const { labels } = await selectPseudoLabels(
      await storePredictions(masked, artifacts),
      categories,
      policy,
      artifacts,
    );
    const { images } = await readPseudoLabels(await artifacts.path(labels.sha256));
    assert.deepEqual((await images.next()).value?.masks, ["01", "o1"]);
  });

  it("may be none at all", async () => {
    const raw = await storePredictions(shards, artifacts);
    const { labels, stats } = await selectPseudoLabels(raw, categories, { ...policy, min_side_px: 99 }, artifacts);
    assert.deepEqual([stats.pseudo_labels, stats.mean_score, stats.empty_images], [0, 0, 4]);
    const { images } = await readPseudoLabels(await artifacts.path(labels.sha256));
    assert.equal((await images.next()).done, true);
    const nothing = await selectPseudoLabels(await storePredictions([], artifacts), categories, policy, artifacts);
    assert.deepEqual([nothing.stats.images, nothing.stats.images_by_labels], [0, [0]]);
  });

  it("can be looked at without storing anything", async () => {
    const raw = await storePredictions(shards, artifacts);
    const { labels, stats } = await selectPseudoLabels(raw, categories, policy, artifacts);
    await artifacts.remove(labels.sha256);
    assert.deepEqual(await previewSelection(raw, policy, artifacts), stats);
    assert.equal(await artifacts.stat(labels.sha256), undefined);
  });

  it("are refused where a file holds something else", async () => {
    await writeParquet(path("a.parquet"), { x: "float32" }, [{ x: Float32Array.of(1) }]);
    await assert.rejects(readPseudoLabels(path("a.parquet")), {
      reason: "ARTIFACT_CORRUPT",
      message: /no pseudo labels/,
    });
    await assert.rejects(readPseudoLabels(path("none.parquet")), { reason: "FILE_NOT_FOUND" });
  });

  it("stay unwritten where a shard is gone", async () => {
    const raw = await storePredictions(shards, artifacts);
    const { shards: listed } = JSON.parse(Buffer.from(await artifacts.read(raw.sha256)).toString());
    await artifacts.remove(listed[1].sha256);
    await assert.rejects(writePseudoLabels(path("out.parquet"), raw, categories, policy, artifacts), {
      reason: "ARTIFACT_NOT_FOUND",
    });
    await assert.rejects(readPseudoLabels(path("out.parquet")), { reason: "FILE_NOT_FOUND" });
  });

  describe("of several groups of shards", () => {
    const SHARDS = 4;
    const IMAGES = 5700;
    const PER_IMAGE = 60;

    /** Random boxes that often overlap and often have equal scores. */
    async function storeRandom(): Promise<ArtifactRef> {
      const random = seededRandom(7);
      const listed = [];
      for (let shard = 0; shard < SHARDS; shard++) {
        const count = IMAGES * PER_IMAGE;
        const low = () => Float32Array.from({ length: count }, () => Math.floor(200 * random()));
        const [x0, y0] = [low(), low()];
        const high = (values: Float32Array) => values.map((value) => value + 1 + Math.floor(60 * random()));
        const boxes = {
          image: Int32Array.from({ length: count }, (_, row) => shard * IMAGES + Math.floor(row / PER_IMAGE)),
          x0,
          y0,
          x1: high(x0),
          y1: high(y0),
          score: Float32Array.from({ length: count }, () => Math.floor(128 * random()) / 128),
          class: new Int32Array(count),
        };
        const { sha256 } = await artifacts.putFile((file) => writeBoxes(file, false, [boxes], {}));
        listed.push({ shard, image_count: IMAGES, box_count: count, sha256 });
      }
      const manifest = { dataset: "00", shards: listed, model: "11", class_count: 1, masks: false };
      return artifacts.put(Buffer.from(canonicalJson(manifest)));
    }

    it("are those that one thread selects from all boxes at once", async () => {
      const raw = await storeRandom();
      const { labels, stats } = await selectPseudoLabels(raw, categories, policy, artifacts);
      const manifest = JSON.parse(Buffer.from(await artifacts.read(raw.sha256)).toString());
      const files = await Promise.all(manifest.shards.map(({ sha256 }: ArtifactRef) => artifacts.path(sha256)));
      const boxes = await readBoxes(files, false, SHARDS * IMAGES * PER_IMAGE);
      const { rows, dropped } = selectRows(boxes, policy);
      assert.deepEqual(
        await readBoxes([await artifacts.path(labels.sha256)], false, rows.length),
        takeRows(boxes, rows),
      );
      assert.deepEqual(stats.dropped, dropped);
      assert.equal(stats.predictions, SHARDS * IMAGES * PER_IMAGE);
      let images = 0;
      const { images: read } = await readPseudoLabels(await artifacts.path(labels.sha256));
      for await (const { score } of read) images += Math.sign(score.length);
      assert.equal(images, stats.images - stats.empty_images);
    }).timeout(60_000);

    it("fail as a whole where one of the shards is damaged", async () => {
      const raw = await storeRandom();
      const manifest = JSON.parse(Buffer.from(await artifacts.read(raw.sha256)).toString());
      manifest.shards[3].box_count--;
      const wrong = await artifacts.put(Buffer.from(canonicalJson(manifest)));
      await assert.rejects(selectPseudoLabels(wrong, categories, policy, artifacts), {
        reason: "ARTIFACT_CORRUPT",
        message: /boxes/,
      });
    }).timeout(60_000);
  });
});

describe("files of boxes", () => {
  const path = temporaryFolder();

  before(function () {
    const missing = missingPython("pyarrow");
    if (missing === undefined) return;
    console.log(`skipped: ${missing}`);
    this.skip();
  });

  it("are read in three lines of Python, as the documentation says", async () => {
    const artifacts = await openArtifactStore(path("artifacts"));
    const raw = await storePredictions(shards, artifacts);
    await writePseudoLabels(path("labels.parquet"), raw, categories, policy, artifacts);
    const docs = await readFile(new URL("../../../../docs/pseudo-labels.md", import.meta.url), "utf8");
    const lines = (/```python\n([\s\S]*?)```/.exec(docs)?.[1] ?? "").trim().split("\n");
    assert.equal(lines.length, 3);
    const script = `import os; os.chdir(${JSON.stringify(path())})\n${lines.join("\n")}\nprint(table.num_rows, table["score"].to_pylist())`;
    assert.match(runPython(script), /3 \[0\.75, 0\.5, 1\.0\]$/);
  });
});
