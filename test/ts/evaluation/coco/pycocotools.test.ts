import { readFileSync } from "node:fs";
import { join } from "node:path";
import { packageRoot } from "../../../../ts/core/package.js";
import { missingPython, runGolden } from "../python.js";
import { assertEqualsPycocotools, type CocoCase, type SegmCase } from "./cases.js";

describe("evaluateCoco equals pycocotools to the last bit", () => {
  for (const [what, vectors, command] of [
    ["boxes", "coco.json", "coco-cases"],
    ["masks", "coco-segm.json", "segm-cases"],
  ] as const) {
    it(`on the golden vectors of ${what}`, async () => {
      await assertAll(readFileSync(join(packageRoot, "test/golden", vectors), "utf8"));
    });

    it(`on fresh random evaluations of ${what}`, async function () {
      this.timeout(120_000);
      const missing = missingPython("pycocotools");
      if (missing !== undefined) {
        console.log(`      skipped: ${missing}`);
        this.skip();
      }
      await assertAll(runGolden(command, "--seed", "1", "--count", "300"));
    });
  }
});

async function assertAll(json: string): Promise<void> {
  const cases = JSON.parse(json) as (CocoCase | SegmCase)[];
  for (const cocoCase of cases) await assertEqualsPycocotools(cocoCase);
}
