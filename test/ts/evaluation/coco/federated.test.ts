import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CasslError } from "../../../../ts/core/errors.js";
import { packageRoot } from "../../../../ts/core/package.js";
import {
  type CocoResult,
  evaluateCoco,
  type FederatedCategory,
  type FederatedGroundTruth,
  type FederatedImage,
} from "../../../../ts/evaluation/coco/index.js";
import { averagePrecision } from "../../../../ts/evaluation/diagnosis/average-precision.js";
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
    for (const lvisCase of goldenCases()) await assertEqualsLvis(lvisCase, groundTruthOf(lvisCase));
  });

  it("on the golden vectors from a file", async () => {
    const folder = await mkdtemp(join(tmpdir(), "cassl-lvis-"));
    try {
      for (const lvisCase of goldenCases()) {
        const file = join(folder, "gt.json");
        await writeFile(file, JSON.stringify(groundTruthOf(lvisCase)));
        await assertEqualsLvis(lvisCase, file);
      }
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

function goldenCases(): LvisCase[] {
  return JSON.parse(readFileSync(join(packageRoot, "test/golden/lvis.json"), "utf8")) as LvisCase[];
}

async function assertEqualsLvis(lvisCase: LvisCase, groundTruth: string | FederatedGroundTruth): Promise<void> {
  const options = { federated: true, maxDets: [lvisCase.maxDets] };
  const { precision, recall, lvis } = await evaluateCoco(groundTruth, resultsOf(lvisCase), options);
  const actual = { precision: digest(precision), recall: digest(recall), results: Object.values(lvis ?? {}) };
  assert.deepEqual(actual, lvisCase.expected, JSON.stringify(lvisCase));
}

function groundTruthOf({ images, categories, gt }: LvisCase): FederatedGroundTruth {
  const annotations = gt.map(([id, image_id, category_id, x, y, w, h, area]) => {
    return { id, image_id, category_id, bbox: [x, y, w, h], area };
  });
  return { images, categories, annotations } as FederatedGroundTruth;
}

function resultsOf({ dt }: LvisCase): CocoResult[] {
  return dt.map(([image_id, category_id, x, y, w, h, score]) => {
    return { image_id, category_id, bbox: [x, y, w, h], score } as CocoResult;
  });
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

  it("leaves out annotations without area, and counts those of less than a pixel", async () => {
    for (const [side, found] of [
      [0.5, 1],
      [0, -1],
    ] as const) {
      const annotation = { id: 1, image_id: 1, category_id: 1, bbox: [0, 0, side, side], area: side * side };
      const small = { ...groundTruth, annotations: [annotation] } as FederatedGroundTruth;
      const result = { ...at(0, 1), bbox: [0, 0, side, side] } as CocoResult;
      const { lvis } = await evaluateCoco(small, [result], { federated: true });
      assert.equal(Math.round(lvis?.ap ?? NaN), found);
    }
  });

  it("ignores what is wrong of a class that is not annotated exhaustively, and counts what is right", async () => {
    assert.deepEqual(await outcomes(at(0, 1), at(300, 1)), [
      [0, 1],
      [1, 0],
    ]);
  });

  it("gives matches that the AP can be computed from to the last bit", async () => {
    for (const lvisCase of goldenCases()) {
      const options = { federated: true, matches: true, maxDets: [lvisCase.maxDets] } as const;
      const { matches, lvis } = await evaluateCoco(groundTruthOf(lvisCase), resultsOf(lvisCase), options);
      assert.equal(averagePrecision(matches), lvis?.ap);
    }
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
