import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { packageRoot } from "../../../../ts/core/package.js";
import { missingPython, runGolden } from "../python.js";
import { assertEqualsPycocotools, type CocoCase, type Way, waysOfEvaluation } from "./cases.js";

describe("evaluateCoco equals pycocotools to the last bit", () => {
  let folder: string;
  let ways: readonly Way[];
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "cassl-coco-"));
    ways = waysOfEvaluation(folder);
  });
  after(() => rm(folder, { recursive: true }));

  async function assertEqual(cases: readonly CocoCase[]): Promise<void> {
    for (const cocoCase of cases) for (const way of ways) await assertEqualsPycocotools(cocoCase, way);
  }

  it("on the golden vectors", () =>
    assertEqual(JSON.parse(readFileSync(join(packageRoot, "test/golden/coco.json"), "utf8")) as CocoCase[]));

  it("on fresh random evaluations", async function () {
    this.timeout(60_000);
    const missing = missingPython("pycocotools");
    if (missing !== undefined) {
      console.log(`      skipped: ${missing}`);
      this.skip();
    }
    await assertEqual(JSON.parse(runGolden("coco-cases", "--seed", "1", "--count", "300")) as CocoCase[]);
  });
});
