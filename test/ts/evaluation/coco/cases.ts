/** Evaluations with pycocotools' results, as scripts/golden.py writes them. */
import assert from "node:assert/strict";
import { sha256 } from "../../../../ts/core/hash.js";
import {
  type CocoGroundTruth,
  type CocoResult,
  type CocoResults,
  type EvaluateCocoOptions,
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
  readonly options: PycocotoolsOptions;
}

export interface CocoCase extends CocoInput {
  readonly expected: Expected;
}

/** The same with whole records. */
export interface SegmInput {
  readonly ground_truth: CocoGroundTruth;
  readonly results: CocoResults;
  readonly iou_type: "bbox" | "segm";
  readonly options: PycocotoolsOptions;
}

export interface SegmCase extends SegmInput {
  readonly expected: Expected;
}

/** pycocotools' parameters by their own names. */
interface PycocotoolsOptions {
  readonly useCats: 0 | 1;
  readonly maxDets?: number[];
  readonly imgIds?: number[];
  readonly catIds?: number[];
  readonly iouThrs?: number[];
  readonly areaRng?: [number, number][];
  readonly areaRngLbl?: string[];
}

/** SHA-256 of the arrays' bytes. `stats` is empty where pycocotools cannot compute it. */
interface Expected {
  readonly precision: string;
  readonly recall: string;
  readonly scores: string;
  readonly stats: number[];
}

/** Every bit of every array, and the stats. */
export async function assertEqualsPycocotools(cocoCase: CocoCase | SegmCase): Promise<void> {
  const { expected } = cocoCase;
  const { groundTruth, results, options } = argumentsOf(cocoCase);
  const evaluation = await evaluateCoco(groundTruth, results, options);
  const actual = {
    precision: digest(evaluation.precision),
    recall: digest(evaluation.recall),
    scores: digest(evaluation.scores),
    stats: expected.stats.length === 0 ? [] : evaluation.stats,
  };
  assert.deepEqual(actual, expected, JSON.stringify(cocoCase));
}

function withRecords({ categories, images, gt, dt, options }: CocoInput): SegmInput {
  const ground_truth = {
    images: images.map((id) => ({ id })),
    categories: categories.map((id) => ({ id, name: String(id) })),
    annotations: gt.map(([id, image_id, category_id, x, y, w, h, area, iscrowd]) => {
      return { id, image_id, category_id, bbox: [x, y, w, h], area, iscrowd };
    }),
  } as CocoGroundTruth;
  const results = dt.map(([image_id, category_id, x, y, w, h, score]) => {
    return { image_id, category_id, bbox: [x, y, w, h], score } as CocoResult;
  });
  return { ground_truth, results, iou_type: "bbox", options };
}

interface Arguments {
  readonly groundTruth: CocoGroundTruth;
  readonly results: CocoResults;
  readonly options: EvaluateCocoOptions;
}

function argumentsOf(input: CocoInput | SegmInput): Arguments {
  const { ground_truth, results, iou_type, options } = "gt" in input ? withRecords(input) : input;
  const { useCats, maxDets, imgIds, catIds, iouThrs, areaRng, areaRngLbl } = options;
  const areaRanges = areaRng?.map(([min, max], a) => ({ name: areaRngLbl?.[a] ?? "", min, max }));
  return {
    groundTruth: ground_truth,
    results,
    options: {
      iouType: iou_type,
      useCats: useCats === 1,
      ...(maxDets && { maxDets }),
      ...(imgIds && { imageIds: imgIds }),
      ...(catIds && { categoryIds: catIds }),
      ...(iouThrs && { iouThresholds: iouThrs }),
      ...(areaRanges && { areaRanges }),
    },
  };
}

/** With matches. */
export function evaluateCase(input: CocoInput | SegmInput): Promise<MatchedEvaluation> {
  const { groundTruth, results, options } = argumentsOf(input);
  return evaluateCoco(groundTruth, results, { ...options, matches: true });
}

export function digest(values: Float64Array): string {
  return sha256(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
}
