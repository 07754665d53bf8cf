import { readFileSync } from "node:fs";
import { join } from "node:path";
import { packageRoot } from "../../../../ts/core/package.js";
import { missingPython, runGolden } from "../python.js";
import { assertEqualsPycocotools, type CocoCase } from "./cases.js";

describe("evaluateCoco equals pycocotools to the last bit", () => {
  it("on the golden vectors", async () => {
    const cases = JSON.parse(readFileSync(join(packageRoot, "test/golden/coco.json"), "utf8")) as CocoCase[];
    for (const cocoCase of cases) await assertEqualsPycocotools(cocoCase);
  });

  it("on fresh random evaluations", async function () {
    this.timeout(60_000);
    const missing = missingPython("pycocotools");
    if (missing !== undefined) {
      console.log(`      skipped: ${missing}`);
      this.skip();
    }
    const cases = JSON.parse(runGolden("coco-cases", "--seed", "1", "--count", "300")) as CocoCase[];
    for (const cocoCase of cases) await assertEqualsPycocotools(cocoCase);
  });
});
