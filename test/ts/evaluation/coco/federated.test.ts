import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { CasslError } from "../../../../ts/core/errors.js";
import { packageRoot } from "../../../../ts/core/package.js";
import {
  type CocoEvaluation,
  type CocoResult,
  evaluateCoco,
  type FederatedCategory,
  type FederatedGroundTruth,
  type FederatedImage,
} from "../../../../ts/evaluation/coco/index.js";
import { missingPython, runGolden } from "../python.js";
import { digest } from "./cases.js";

interface LvisCase {
  readonly images: readonly FederatedImage[];
  readonly categories: readonly FederatedCategory[];
  /** Rows [id, image, category, x, y, w, h, area]. */
  readonly gt: readonly (readonly number[])[];
  /** Rows [image, category, x, y, w, h, score]. */
  readonly dt: readonly (readonly number[])[];
  readonly maxDets: number;
  /** SHA-256 of the arrays' bytes, and the package's numbers in its order. */
  readonly expected: { precision: string; recall: string; results: number[] };
}

describe("federated evaluation equals the lvis package to the last bit", () => {
  it("on the golden vectors", async () => {
    const cases = JSON.parse(readFileSync(join(packageRoot, "test/golden/lvis.json"), "utf8")) as LvisCase[];
    for (const lvisCase of cases) await assertEqualsLvis(lvisCase);
  });

  it("on fresh random evaluations", async function () {
    this.timeout(60_000);
    const missing = missingPython("lvis");
    if (missing !== undefined) {
      console.log(`      skipped: ${missing}`);
      this.skip();
    }
    const cases = JSON.parse(runGolden("lvis-cases", "--seed", "1", "--count", "200")) as LvisCase[];
    for (const lvisCase of cases) await assertEqualsLvis(lvisCase);
  });
});

async function assertEqualsLvis(lvisCase: LvisCase): Promise<void> {
  const { precision, recall, lvis } = await evaluateCase(lvisCase);
  const actual = { precision: digest(precision), recall: digest(recall), results: Object.values(lvis ?? {}) };
  assert.deepEqual(actual, lvisCase.expected, JSON.stringify(lvisCase));
}

function evaluateCase({ images, categories, gt, dt, maxDets }: LvisCase): Promise<CocoEvaluation> {
  const annotations = gt.map(([id, image_id, category_id, x, y, w, h, area]) => {
    return { id, image_id, category_id, bbox: [x, y, w, h], area };
  });
  const results = dt.map(([image_id, category_id, x, y, w, h, score]) => {
    return { image_id, category_id, bbox: [x, y, w, h], score } as CocoResult;
  });
  const groundTruth = { images, categories, annotations } as FederatedGroundTruth;
  return evaluateCoco(groundTruth, results, { federated: true, maxDets: [maxDets] });
}

describe("federated evaluation", () => {
  const image = { id: 1, neg_category_ids: [2], not_exhaustive_category_ids: [1] };
  const groundTruth: FederatedGroundTruth = {
    images: [image],
    categories: [1, 2, 3].map((id) => ({ id, name: String(id) })),
    annotations: [{ id: 1, image_id: 1, category_id: 1, bbox: [0, 0, 40, 40], area: 1600 }],
  };
  const at = (x: number, category_id: number): CocoResult => ({
    image_id: 1,
    category_id,
    bbox: [x, 0, 40, 40],
    score: 0.9,
  });
  const outcomes = async (...results: CocoResult[]): Promise<number[][]> => {
    const { matches } = await evaluateCoco(groundTruth, results, {
      federated: true,
      matches: true,
      iouThresholds: [0.5],
    });
    const { row, outcome } = matches.detections;
    return [...row].map((result, d) => [result, outcome[d] as number]);
  };

  it("leaves out detections of classes that the image was not checked for", async () => {
    assert.deepEqual(await outcomes(at(0, 3), at(0, 2)), [[1, 2]]);
  });

  it("ignores what is wrong of a class that is not annotated exhaustively, and counts what is right", async () => {
    assert.deepEqual(await outcomes(at(0, 1), at(300, 1)), [
      [0, 1],
      [1, 0],
    ]);
  });

  it("takes 300 detections of an image, whatever their class", async () => {
    const results = Array.from({ length: 200 }, () => [at(0, 1), at(0, 2)]).flat();
    assert.equal((await outcomes(...results)).length, 300);
  });

  it("gives -1 to frequencies that no class has", async () => {
    const { lvis } = await evaluateCoco(groundTruth, [at(0, 1)], { federated: true });
    assert.deepEqual([lvis?.apRare, lvis?.apCommon, lvis?.apFrequent], [-1, -1, -1]);
    assert.ok((lvis?.ap ?? 0) > 0.99);
  });

  it("refuses images that do not say what they were checked for, and evaluation without classes", async () => {
    const isRefused = (reason: string, message: RegExp) => (error: unknown) =>
      error instanceof CasslError && error.reason === reason && message.test(error.message);
    await assert.rejects(
      evaluateCoco({ ...groundTruth, images: [{ id: 1 }] }, [], { federated: true }),
      isRefused("ANNOTATIONS_INVALID", /position 0 has neg_category_ids undefined/),
    );
    await assert.rejects(
      evaluateCoco(groundTruth, [], { federated: true, useCats: false }),
      isRefused("CONFIG_INVALID", /useCats/),
    );
  });
});
