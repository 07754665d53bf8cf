/** Every family of detectors on real photos with masks: training, export, certificate and evaluation, at tiny size. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stringify } from "yaml";
import { packageRoot } from "../../ts/core/package.js";
import { FAMILIES } from "../../ts/pipeline/detector-schema.js";
import { cassl, resultOf } from "./project.js";

interface CocoFile {
  images: { id: number }[];
  annotations: { image_id: number; category_id: number }[];
  categories: { id: number; name: string }[];
}

const photos = join(packageRoot, "../shared/data/aquarium");
/** Those of detectron2 have tests of their own, where it is installed: `npm run test:detectron2`. */
const families = FAMILIES.filter((family) => !family.startsWith("detectron2"));
const SEGMENTERS = ["light_segmenter", "mask_rcnn"];

/** The first images of a COCO file that show fish, and the fish in them. */
async function writePart(from: string, to: string, count: number): Promise<void> {
  const file = JSON.parse(await readFile(from, "utf8")) as CocoFile;
  const categories = file.categories.filter(({ name }) => name === "fish");
  const fish = file.annotations.filter(({ category_id }) => category_id === categories[0]?.id);
  const ids = new Set([...new Set(fish.map(({ image_id }) => image_id))].slice(0, count));
  const images = file.images.filter(({ id }) => ids.has(id));
  const annotations = fish.filter(({ image_id }) => ids.has(image_id));
  await writeFile(to, JSON.stringify({ categories, images, annotations }));
}

function config(folder: string): object {
  const images = join(photos, "images");
  return {
    name: "families",
    arms: ["supervised"],
    targets: families,
    data: {
      labeled: { annotations: join(folder, "train.json"), images },
      validation: { annotations: join(folder, "val.json"), images },
      bad_boxes: "drop",
    },
    detector: {
      backbone: "test_resnet",
      backbone_weights: "none",
      input_width_px: 64,
      input_height_px: 64,
      fpn_channels: 16,
      head_convolutions: 1,
      strides_px: [8, 16, 32],
      proposals: 20,
    },
    solver: { images_per_batch: 2, lr_ramp_iterations: 0, precision: "float32" },
    stages: Object.fromEntries(
      ["pseudo_label", "warmup", "finetune"].map((stage) => [stage, { solver: { iterations: 1 } }]),
    ),
  };
}

describe("every family on real photos", function () {
  // A minute where nothing else runs; exporting is most of it.
  this.timeout(900_000);
  let folder: string;

  before(async function () {
    if (!existsSync(photos)) {
      console.log(`      skipped: ${photos} is not there`);
      this.skip();
    }
    folder = await mkdtemp(join(tmpdir(), "cassl-families-"));
    for (const [name, count] of [
      ["train", 6],
      ["val", 3],
    ] as const) {
      await writePart(join(photos, `annotations/instances_${name}.json`), join(folder, `${name}.json`), count);
    }
    await writeFile(join(folder, "cassl.yaml"), stringify(config(folder)));
  });
  after(async () => {
    if (folder) await rm(folder, { recursive: true, force: true });
  });

  it("trains, leaves a certified model, and is evaluated, with masks if it gives some", async () => {
    const result = await resultOf(await cassl(["run", join(folder, "cassl.yaml")]).finished);
    assert.deepEqual(
      result.arms.map(({ target }) => target),
      families,
    );
    // A model that fails its certificate would have ended the run.
    for (const { target, ap, segm_ap, onnx } of result.arms) {
      assert.ok(ap >= 0 && ap <= 1 && onnx.size_bytes > 0, target);
      assert.equal(segm_ap !== undefined, SEGMENTERS.includes(target ?? ""), target);
    }
  });
});
