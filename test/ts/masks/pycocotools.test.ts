import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { packageRoot } from "../../../ts/core/package.js";
import { fromSegmentation, type Segmentation } from "../../../ts/masks/index.js";
import { missingPython, runGolden } from "../evaluation/python.js";
import { assertEqualsPycocotools, described, type MaskCase } from "./cases.js";

const annotations = join(packageRoot, "../shared/data/coco-parity/instances_val2014_100.json");

interface CocoFile {
  readonly images: readonly { id: number; width: number; height: number }[];
  readonly annotations: readonly { image_id: number; segmentation: Segmentation }[];
}

describe("masks equal pycocotools'", () => {
  it("on the golden vectors", () => {
    const cases = JSON.parse(readFileSync(join(packageRoot, "test/golden/masks.json"), "utf8")) as MaskCase[];
    cases.forEach(assertEqualsPycocotools);
  });

  it("on fresh random masks", function () {
    this.timeout(60_000);
    skipWithout(this, missingPython("pycocotools"));
    const cases = JSON.parse(runGolden("mask-cases", "--seed", "1", "--count", "3000")) as MaskCase[];
    cases.forEach(assertEqualsPycocotools);
  });

  it("on annotations of COCO", function () {
    skipWithout(this, existsSync(annotations) ? missingPython("pycocotools") : `${annotations} is not there`);
    const coco = JSON.parse(readFileSync(annotations, "utf8")) as CocoFile;
    const sizes = new Map(coco.images.map((image) => [image.id, image]));
    const actual = coco.annotations.map(({ image_id, segmentation }) => {
      const { width, height } = sizes.get(image_id)!;
      return described(fromSegmentation(segmentation, width, height));
    });
    assert.deepEqual(actual, JSON.parse(runGolden("annotation-masks", annotations)));
  });
});

function skipWithout(test: Mocha.Context, missing: string | undefined): void {
  if (missing === undefined) return;
  console.log(`      skipped: ${missing}`);
  test.skip();
}
