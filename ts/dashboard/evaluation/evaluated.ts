/** All that the page of an evaluation shows, from the files of a run: seconds of work for large validation sets. */
import { readFile } from "node:fs/promises";
import type { DatasetImage } from "../../core/dataset.js";
import { decodeManifest } from "../../data/manifest.js";
import {
  type CocoGroundTruth,
  type CocoMaskResult,
  type CocoMatches,
  type CocoResult,
  type CocoResults,
  type CocoSummary,
  type IouType,
  readCocoResults,
} from "../../evaluation/coco/index.js";
import { toCocoGroundTruth } from "../../evaluation/dataset-format.js";
import {
  confusions,
  type Diagnosis,
  diagnose,
  errorKinds,
  type ImageErrors,
  precisionRecallCurves,
  worstImages,
} from "../../evaluation/diagnosis/index.js";
import type {
  ApSummary,
  ConfusionCell,
  ErrorRow,
  EvaluationView,
  PrecisionCurves,
  WorstImage,
} from "../wire/evaluation.js";

export interface EvaluationRequest {
  /** Path of a dataset manifest. */
  readonly groundTruth: string;
  /** Path of COCO results. */
  readonly detections: string;
  readonly iouType: IouType;
}

export type EvaluationFacts = Omit<EvaluationView, "step" | "steps" | "iouType" | "iouTypes">;

/** Can be handed from one thread to another. */
export interface Evaluated {
  readonly facts: EvaluationFacts;
  readonly images: readonly EvaluatedFile[];
  readonly pairs: EvaluatedPairs;
  /** Positions of the worst images. */
  readonly worst: readonly number[];
}

export type EvaluatedFile = Pick<DatasetImage, "file_name" | "width_px" | "height_px">;

/** What the confusion matrix counts, an entry each: N of them. */
export interface EvaluatedPairs {
  /** (N,) Into `Evaluated.images`. */
  readonly image: Int32Array;
  /** (N,) Into `EvaluationView.classes`; as many as there are: the background. */
  readonly truth: Int32Array;
  readonly detected: Int32Array;
  /** (N,) 0 where nothing is detected. */
  readonly score: Float32Array;
  /** (N, 4) xywh in px; 0 where there is none. */
  readonly truthXywh: Float32Array;
  readonly detectedXywh: Float32Array;
  /** (N,) COCO's counts strings of whole images; undefined where there is no mask. */
  readonly truthMask: readonly (string | undefined)[];
  readonly detectedMask: readonly (string | undefined)[];
}

const CURVE_IOUS = [0.5, 0.75, 0.9];
const MOST_WORST = 24;

export async function evaluateStored({ groundTruth, detections, iouType }: EvaluationRequest): Promise<Evaluated> {
  const dataset = decodeManifest(await readFile(groundTruth));
  const truth = toCocoGroundTruth(dataset);
  const all = (await readCocoResults(detections)) as CocoResult[];
  const results = iouType === "segm" ? all.filter(({ segmentation }) => segmentation !== undefined) : all;
  const { evaluation, diagnosis } = await diagnose(truth, comparedBy(iouType, results), { iouType });
  const { matches } = evaluation;
  const minScore = diagnosis.bestThreshold.threshold ?? -Infinity;
  const byId = new Map(dataset.images.map((image) => [image.id, image]));
  const images = matches.imageIds.map((id) => fileOf(byId.get(id) as DatasetImage));
  const positions = new Map(matches.imageIds.map((id, position) => [id, position]));
  const worst = worstImages(matches, { minScore, limit: MOST_WORST });
  return {
    facts: {
      images: images.length,
      ...factsOf(matches, diagnosis),
      worst: worst.map((image) => worstImage(image, byId.get(image.imageId) as DatasetImage)),
    },
    images,
    pairs: pairsOf(matches, minScore, truth, results),
    worst: worst.map(({ imageId }) => positions.get(imageId) as number),
  };
}

/** Masks are compared without the boxes, so that the size of a detection is that of its mask. */
function comparedBy(iouType: IouType, results: readonly CocoResult[]): CocoResults {
  if (iouType === "bbox") return results;
  return results.map(({ bbox: _, ...mask }) => mask as CocoMaskResult);
}

function worstImage({ errors, positives, kinds }: ImageErrors, { file_name }: DatasetImage): WorstImage {
  const named = errorKinds.map((name) => ({ name, count: kinds[name] })).filter(({ count }) => count > 0);
  return { name: file_name, errors, positives, kinds: named };
}

function fileOf({ file_name, width_px, height_px }: DatasetImage): EvaluatedFile {
  return { file_name, width_px, height_px };
}

function factsOf(matches: CocoMatches, diagnosis: Diagnosis): Omit<EvaluationFacts, "images" | "worst"> {
  const { bestThreshold, perClass, confusion, calibration, classAwareness } = diagnosis;
  const { classAware, oracleClass, classAgnostic } = classAwareness;
  return {
    best: bestThreshold,
    classes: perClass.map(({ name, positives, detections, ap, ap50, ap75, ar, threshold, f1, precision, recall }) => {
      return { name, positives, detections, ap, ap50, ap75, ar, threshold, f1, precision, recall };
    }),
    curves: CURVE_IOUS.map((iou) => curvesAt(matches, iou)),
    confusion: cellsOf(confusion.counts, confusion.categories.length + 1),
    errors: errorRows(diagnosis.errors),
    calibration,
    awareness: {
      classAware: summaryOf(classAware),
      oracleClass: summaryOf(oracleClass),
      classAgnostic: summaryOf(classAgnostic),
    },
  };
}

/** Four digits are more than a chart shows. */
function curvesAt(matches: CocoMatches, iou: number): PrecisionCurves {
  const curves = precisionRecallCurves(matches, { iou });
  return { iou, precision: curves.map(({ sampled }) => Array.from(sampled.precision, (value) => round(value))) };
}

function round(value: number): number {
  return Number(value.toFixed(4));
}

function cellsOf(counts: Int32Array, side: number): ConfusionCell[] {
  const cells: ConfusionCell[] = [];
  counts.forEach((count, cell) => {
    if (count > 0) cells.push([Math.floor(cell / side), cell % side, count]);
  });
  return cells;
}

function errorRows({ kinds, falsePositives, falseNegatives }: Diagnosis["errors"]): ErrorRow[] {
  return [
    ...errorKinds.map((name) => ({ name, ...kinds[name] })),
    { name: "all false positives", ...falsePositives },
    { name: "all false negatives", ...falseNegatives },
  ];
}

function summaryOf({ ap, ap50, ap75, ar100 }: CocoSummary): ApSummary {
  return { ap, ap50, ap75, ar100 };
}

function pairsOf(
  matches: CocoMatches,
  minScore: number,
  { annotations }: CocoGroundTruth,
  results: readonly CocoResult[],
): EvaluatedPairs {
  const { categories, detections, groundTruth } = matches;
  const pairs = confusions(matches, { minScore });
  const count = pairs.detection.length;
  const columns = {
    image: new Int32Array(count),
    truth: new Int32Array(count).fill(categories.length),
    detected: new Int32Array(count).fill(categories.length),
    score: new Float32Array(count),
    truthXywh: new Float32Array(4 * count),
    detectedXywh: new Float32Array(4 * count),
    truthMask: new Array<string | undefined>(count),
    detectedMask: new Array<string | undefined>(count),
  };
  for (let pair = 0; pair < count; pair++) {
    const [g, d] = [pairs.groundTruth[pair] as number, pairs.detection[pair] as number];
    columns.image[pair] = (d < 0 ? groundTruth.image[g] : detections.image[d]) as number;
    if (g >= 0) {
      columns.truth[pair] = groundTruth.category[g] as number;
      const object = annotations[groundTruth.row[g] as number];
      columns.truthXywh.set(object?.bbox ?? [], 4 * pair);
      columns.truthMask[pair] = countsOf(object);
    }
    if (d >= 0) {
      columns.detected[pair] = detections.category[d] as number;
      columns.score[pair] = detections.score[d] as number;
      const detection = results[detections.row[d] as number];
      columns.detectedXywh.set(detection?.bbox ?? [], 4 * pair);
      columns.detectedMask[pair] = countsOf(detection);
    }
  }
  return columns;
}

/** The files of a run have masks as counts strings only. */
function countsOf(masked: Pick<CocoResult, "segmentation"> | undefined): string | undefined {
  const { segmentation } = masked ?? {};
  return segmentation !== undefined && "counts" in segmentation && typeof segmentation.counts === "string"
    ? segmentation.counts
    : undefined;
}
