/** One ground truth that other tools wrote in several formats. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { packageRoot } from "../../../../ts/core/package.js";
import { readAnnotations } from "../../../../ts/data/formats/read-annotations.js";
import type { Format } from "../../../../ts/data/formats/source-set.js";
import { flatObjects } from "./written-sets.js";

const folder = join(packageRoot, "../shared/data/formats");
const images = join(folder, "images");
const read = (name: string) => readAnnotations({ annotations: join(folder, "gts", name), images }, "error");

describe("one ground truth of 100 photos with 273 objects is the same", function () {
  this.timeout(20_000);
  before(function () {
    if (existsSync(folder)) return;
    console.log(`skipped: ${folder} is not there`);
    this.skip();
  });

  /** How far a side may be off. Six decimals of an image of 500 px are half a thousandth of a pixel. */
  const sets: [name: string, format: Format, roundingPx: number][] = [
    ["coco_format_v2", "coco", 0],
    ["pascalvoc_format", "voc", 0],
    ["imagenet_format", "voc", 0],
    ["yolo_format", "yolo", 0.0006],
    ["openimages_format", "openimages", 0.0006],
  ];
  for (const [name, format, roundingPx] of sets) {
    it(`in ${name}`, async () => {
      const expected = flatObjects(await read("coco_format_v1"));
      const set = await read(name);
      assert.equal(set.format, format);
      assert.equal(set.images.length, 100);
      assert.equal(set.categories.length, 20);
      const objects = flatObjects(set);
      assert.equal(objects.length, 273);
      for (const [index, { image, name: className, box, iscrowd }] of objects.entries()) {
        const truth = expected[index];
        assert.deepEqual([image, className, iscrowd], [truth?.image, truth?.name, truth?.iscrowd]);
        for (const [side, px] of box.entries()) {
          assert.ok(
            Math.abs(px - (truth?.box[side] ?? Number.NaN)) <= roundingPx,
            `${image} ${className} ${box.join()}`,
          );
        }
      }
    });
  }

  it("with the sizes of the images, which YOLO and Open Images leave to the files", async () => {
    const sizes = async (name: string) =>
      (await read(name)).images
        .map(({ file_name, width_px, height_px }) => `${file_name} ${width_px} x ${height_px}`)
        .sort();
    const expected = await sizes("coco_format_v1");
    for (const [name] of sets) assert.deepEqual(await sizes(name), expected, name);
  });
});
