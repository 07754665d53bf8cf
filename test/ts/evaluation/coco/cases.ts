/** Evaluations with pycocotools' results, as scripts/golden.py writes them. */
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { sha256 } from "../../../../ts/core/hash.js";
import {
  type CocoDetection,
  type CocoDetectionColumns,
  type CocoEvaluation,
  type CocoGroundTruth,
  type CocoGroundTruthColumns,
  type CocoResult,
  type CocoResultColumns,
  type CocoResults,
  createEvaluator,
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

/** A way to give an evaluation its input. */
export interface Way {
  readonly name: string;
  readonly takesMasks: boolean;
  readonly evaluate: Evaluate;
}

type Evaluate = (gt: CocoGroundTruth, dt: CocoResults, options: EvaluateCocoOptions) => Promise<CocoEvaluation>;

/** @param folder takes the files. */
export function waysOfEvaluation(folder: string): readonly Way[] {
  return [
    { name: "parsed JSON", takesMasks: true, evaluate: evaluateCoco },
    { name: "files", takesMasks: true, evaluate: (gt, dt, options) => evaluateFiles(folder, gt, dt, options) },
    {
      name: "columns",
      takesMasks: false,
      evaluate: (gt, dt, options) =>
        evaluateCoco(groundTruthColumns(gt), resultColumns(dt as readonly CocoResult[]), options),
    },
    {
      name: "image by image",
      takesMasks: false,
      evaluate: (gt, dt, options) => evaluateInSteps(gt, dt as readonly CocoResult[], options),
    },
  ];
}

async function evaluateFiles(
  folder: string,
  gt: CocoGroundTruth,
  dt: CocoResults,
  options: EvaluateCocoOptions,
): Promise<CocoEvaluation> {
  const paths = { gt: join(folder, "gt.json"), dt: join(folder, "dt.json") };
  await writeFile(paths.gt, writtenJson(gt));
  await writeFile(paths.dt, writtenJson(dt));
  return evaluateCoco(paths.gt, paths.dt, options);
}

/** JSON lacks -0 as JSON.stringify writes it, but not as Python does. */
function writtenJson(value: unknown): string {
  return JSON.stringify(value, (_, member: unknown) => (Object.is(member, -0) ? "-0.0" : member)).replaceAll(
    '"-0.0"',
    "-0.0",
  );
}

function groundTruthColumns({ images, categories, annotations }: CocoGroundTruth): CocoGroundTruthColumns {
  return {
    imageIds: Int32Array.from(images, ({ id }) => id),
    categories,
    annotations: {
      id: Float64Array.from(annotations, ({ id }) => id),
      imageId: Int32Array.from(annotations, ({ image_id }) => image_id),
      categoryId: Uint8Array.from(annotations, ({ category_id }) => category_id),
      boxXywh: Float64Array.from(annotations.flatMap(({ bbox }) => bbox)),
      area: Float64Array.from(annotations, ({ area }) => area),
      iscrowd: Uint8Array.from(annotations, ({ iscrowd }) => Number(iscrowd)),
    },
  };
}

function resultColumns(results: readonly CocoResult[]): CocoResultColumns {
  return { imageId: Float64Array.from(results, ({ image_id }) => image_id), ...detectionColumns(results) };
}

function detectionColumns(detections: readonly CocoDetection[]): CocoDetectionColumns {
  return {
    categoryId: Int32Array.from(detections, ({ category_id }) => category_id),
    boxXywh: Float64Array.from(detections.flatMap(({ bbox }) => bbox)),
    score: Float64Array.from(detections, ({ score }) => score),
  };
}

/** Each image by itself, as columns and as records in turn, and an image without detections too. */
async function evaluateInSteps(
  gt: CocoGroundTruth,
  dt: readonly CocoResult[],
  options: EvaluateCocoOptions,
): Promise<CocoEvaluation> {
  const evaluator = await createEvaluator(gt, options);
  gt.images.forEach(({ id }, i) => {
    const detections = dt.filter(({ image_id }) => image_id === id);
    evaluator.add(id, i % 2 === 0 ? detections : detectionColumns(detections));
  });
  return evaluator.evaluate();
}

/** Every bit of every array, and the stats. */
export async function assertEqualsPycocotools(cocoCase: CocoCase | SegmCase, { name, evaluate }: Way): Promise<void> {
  const { expected } = cocoCase;
  const { groundTruth, results, options } = argumentsOf(cocoCase);
  const evaluation = await evaluate(groundTruth, results, options);
  const actual = {
    precision: digest(evaluation.precision),
    recall: digest(evaluation.recall),
    scores: digest(evaluation.scores),
    stats: expected.stats.length === 0 ? [] : evaluation.stats,
  };
  assert.deepEqual(actual, expected, `${name}: ${JSON.stringify(cocoCase)}`);
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
