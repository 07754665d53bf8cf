/** Real photos and annotations. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { packageRoot } from "../../../ts/core/package.js";
import { curate } from "../../../ts/data/curate.js";
import { readAnnotations } from "../../../ts/data/formats/read-annotations.js";
import { findImages } from "../../../ts/data/images.js";
import { decodeManifest } from "../../../ts/data/manifest.js";
import { memoryArtifacts, policies } from "./fixtures.js";

const folder = join(packageRoot, "../shared/data/bccd");
const train = join(folder, "annotations/instances_train.json");
const val = join(folder, "annotations/instances_val.json");
const images = join(folder, "images");

describe("the BCCD set", function () {
  this.timeout(20_000);
  before(function () {
    if (existsSync(folder)) return;
    console.log(`skipped: ${folder} is not there`);
    this.skip();
  });

  it("is read whole, with 3 classes and 4,886 boxes in 364 images", async () => {
    const sets = [
      await readAnnotations({ annotations: train }, "error"),
      await readAnnotations({ annotations: val }, "error"),
    ];
    assert.deepEqual(
      sets.map((set) => set.images.length),
      [292, 72],
    );
    const boxes = sets.flatMap((set) => set.images.flatMap(({ annotations }) => annotations));
    assert.equal(boxes.length, 4886);
    assert.ok(
      boxes.every(
        ({ box_xywh: [x, y, width, height] }) =>
          x >= 0 && y >= 0 && width > 0 && height > 0 && x + width <= 512 && y + height <= 384,
      ),
    );
    assert.deepEqual(
      sets[0]?.categories.map(({ name }) => name),
      ["RBC", "WBC", "Platelets"],
    );
    assert.equal((await findImages(images)).length, 364);
  });

  it("is curated with 20 labeled images and the rest unlabeled", async () => {
    const artifacts = memoryArtifacts();
    const data = {
      labeled: { annotations: train, images, take: 20 },
      unlabeled: { images: [], rest_of_labeled: true },
      validation: { annotations: val, images },
      ...policies,
    } as const;
    const { counts, unlabeled } = await curate(data, 0, {
      artifacts,
      signal: new AbortController().signal,
      onProgress: () => undefined,
    });
    assert.deepEqual([counts.labeled, counts.unlabeled + counts.dropped, counts.validation], [20, 272, 72]);
    assert.equal(decodeManifest(await artifacts.read(unlabeled.sha256)).images.length, counts.unlabeled);
  });
});
