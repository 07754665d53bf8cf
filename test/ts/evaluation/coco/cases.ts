/** Evaluations with pycocotools' results, as scripts/golden.py writes them. */
import assert from "node:assert/strict";
import { sha256 } from "../../../../ts/core/hash.js";
import {
  type CocoGroundTruth,
  type CocoResult,
  evaluateCoco,
  type MatchedEvaluation,
} from "../../../../ts/evaluation/coco/index.js";

/** An evaluation without its results. */
export interface CocoInput {
  readonly categories: readonly number[];
  readonly images: readonly number[];
  /** Rows [id, image, category, x, y, w, h, area, iscrowd]. */
  readonly gt: readonly (readonly number[])[];
  /** Rows [image, category, x, y, w, h, score]. */
  readonly dt: readonly (readonly number[])[];
  /** pycocotools' parameters by their own names. */
  readonly options: {
    readonly useCats: 0 | 1;
    readonly maxDets?: number[];
    readonly imgIds?: number[];
    readonly catIds?: number[];
    readonly iouThrs?: number[];
    readonly areaRng?: [number, number][];
    readonly areaRngLbl?: string[];
  };
}

export interface CocoCase extends CocoInput {
  /** SHA-256 of the arrays' bytes. `stats` is empty where pycocotools cannot compute it. */
  readonly expected: { precision: string; recall: string; scores: string; stats: number[] };
}

/** Every bit of every array, and the stats. */
export async function assertEqualsPycocotools(cocoCase: CocoCase): Promise<void> {
  const { expected } = cocoCase;
  const evaluation = await evaluateCase(cocoCase);
  const actual = {
    precision: digest(evaluation.precision),
    recall: digest(evaluation.recall),
    scores: digest(evaluation.scores),
    stats: expected.stats.length === 0 ? [] : evaluation.stats,
  };
  assert.deepEqual(actual, expected, JSON.stringify(cocoCase));
}

export function evaluateCase({ categories, images, gt, dt, options }: CocoInput): Promise<MatchedEvaluation> {
  const { useCats, maxDets, imgIds, catIds, iouThrs, areaRng, areaRngLbl } = options;
  const groundTruth = {
    images: images.map((id) => ({ id })),
    categories: categories.map((id) => ({ id, name: String(id) })),
    annotations: gt.map(([id, image_id, category_id, x, y, w, h, area, iscrowd]) => {
      return { id, image_id, category_id, bbox: [x, y, w, h], area, iscrowd };
    }),
  } as CocoGroundTruth;
  const results = dt.map(([image_id, category_id, x, y, w, h, score]) => {
    return { image_id, category_id, bbox: [x, y, w, h], score } as CocoResult;
  });
  const areaRanges = areaRng?.map(([min, max], a) => ({ name: areaRngLbl?.[a] ?? "", min, max }));
  return evaluateCoco(groundTruth, results, {
    matches: true,
    useCats: useCats === 1,
    ...(maxDets && { maxDets }),
    ...(imgIds && { imageIds: imgIds }),
    ...(catIds && { categoryIds: catIds }),
    ...(iouThrs && { iouThresholds: iouThrs }),
    ...(areaRanges && { areaRanges }),
  });
}

export function digest(values: Float64Array): string {
  return sha256(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
}
