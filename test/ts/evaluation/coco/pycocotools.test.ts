import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { packageRoot } from "../../../../ts/core/package.js";
import { missingPython, runGolden } from "../python.js";
import { assertEqualsPycocotools, type CocoCase, type SegmCase, type Way, waysOfEvaluation } from "./cases.js";

describe("evaluateCoco equals pycocotools to the last bit", () => {
  let folder: string;
  let ways: readonly Way[];
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "cassl-coco-"));
    ways = waysOfEvaluation(folder);
  });
  after(() => rm(folder, { recursive: true }));

  async function assertAll(json: string, haveMasks: boolean): Promise<void> {
    for (const cocoCase of JSON.parse(json) as (CocoCase | SegmCase)[]) {
      for (const way of ways.filter(({ takesMasks }) => takesMasks || !haveMasks)) {
        await assertEqualsPycocotools(cocoCase, way);
      }
    }
  }

  for (const [what, vectors, command] of [
    ["boxes", "coco.json", "coco-cases"],
    ["masks", "coco-segm.json", "segm-cases"],
  ] as const) {
    it(`on the golden vectors of ${what}`, async () => {
      await assertAll(readFileSync(join(packageRoot, "test/golden", vectors), "utf8"), what === "masks");
    });

    it(`on fresh random evaluations of ${what}`, async function () {
      this.timeout(120_000);
      const missing = missingPython("pycocotools");
      if (missing !== undefined) {
        console.log(`      skipped: ${missing}`);
        this.skip();
      }
      await assertAll(runGolden(command, "--seed", "1", "--count", "300"), what === "masks");
    });
  }
});
