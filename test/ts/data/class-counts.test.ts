import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import type { Annotation, Dataset } from "../../../ts/core/dataset.js";
import { objectsOf } from "../../../ts/core/dataset.js";
import { seededRandom } from "../../../ts/core/random.js";
import { countClasses } from "../../../ts/data/class-counts.js";
import { encodeManifest } from "../../../ts/data/manifest.js";
import { temporaryFolder } from "./fixtures.js";

function randomDataset(images: number): Dataset {
  const random = seededRandom(5);
  const annotation = (): Annotation => {
    return { box_xywh: [0, 0, 5, 5], class_index: Math.floor(2.9 * random()), area: 25, iscrowd: random() < 0.2 };
  };
  return {
    categories: ["cat", "dog\u2028", "owl", "unseen"].map((name, index) => ({ id: index + 1, name })),
    images: Array.from({ length: images }, (_, index) => ({
      ...{ id: index, file_name: `${index}\u2028.jpg`, sha256: "", width_px: 9, height_px: 9 },
      annotations: Array.from({ length: Math.floor(4 * random()) }, annotation),
    })),
  };
}

describe("countClasses", () => {
  const path = temporaryFolder();

  for (const images of [0, 300]) {
    it(`counts what ${images} images in memory have`, async () => {
      const dataset = randomDataset(images);
      await writeFile(path("manifest"), encodeManifest(dataset));
      const objects = dataset.images.map((image) => objectsOf(image).map(({ class_index }) => class_index));
      const counts = await countClasses(path("manifest"));
      assert.equal(counts.images, images);
      assert.equal(counts.emptyImages, objects.filter(({ length }) => length === 0).length);
      assert.equal(counts.objects, objects.flat().length);
      assert.deepEqual(
        counts.classes,
        dataset.categories.map(({ name }, index) => ({
          name,
          objects: objects.flat().filter((other) => other === index).length,
          images: objects.filter((of) => of.includes(index)).length,
        })),
      );
    });
  }
});
