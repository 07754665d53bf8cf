/** What the detections of one model say on a validation set. */
import { readFile } from "node:fs/promises";
import { decodeManifest } from "../data/manifest.js";
import { type CocoGroundTruth, type CocoMatches, type CocoResult, evaluateCoco } from "../evaluation/coco/index.js";
import { toCocoGroundTruth } from "../evaluation/dataset-format.js";
import {
  type BootstrapOptions,
  type ErrorSplit,
  precisionRecallCurves,
  type ResampledAp,
  resampleAp,
  splitErrors,
} from "../evaluation/diagnosis/index.js";

export interface JudgeRequest {
  /** Path of the validation set's manifest. */
  readonly validation: string;
  /** Paths of COCO results on it, one a model. */
  readonly detections: readonly string[];
  readonly bootstrap: Required<BootstrapOptions>;
}

/** Of boxes, with their classes. */
export interface JudgedDetections {
  readonly resampled: ResampledAp;
  /** At IoU 0.5, the mean over the classes that have objects. Empty without any. */
  readonly curve: MeanCurve;
  /** At IoU 0.5. */
  readonly errors: ErrorSplit;
}

/** What AP50 is the mean of. All in [0, 1]. */
export interface MeanCurve {
  /** (R,) ascending. */
  readonly recall: readonly number[];
  /** (R,) the highest precision at each recall or above. */
  readonly precision: readonly number[];
}

/** One for each of the requested models. The thread is busy meanwhile: `judgeInThread` has another one do it. */
export async function judgeDetections({
  validation,
  detections,
  bootstrap,
}: JudgeRequest): Promise<JudgedDetections[]> {
  const groundTruth = toCocoGroundTruth(decodeManifest(await readFile(validation)));
  const judged: JudgedDetections[] = [];
  for (const path of detections) judged.push(await judge(groundTruth, path, bootstrap));
  return judged;
}

async function judge(
  groundTruth: CocoGroundTruth,
  path: string,
  bootstrap: Required<BootstrapOptions>,
): Promise<JudgedDetections> {
  const results = JSON.parse(await readFile(path, "utf8")) as CocoResult[];
  const { matches } = await evaluateCoco(groundTruth, results, { matches: true });
  return { resampled: resampleAp(matches, bootstrap), curve: meanCurve(matches), errors: splitErrors(matches) };
}

function meanCurve(matches: CocoMatches): MeanCurve {
  const curves = precisionRecallCurves(matches).flatMap(({ positives, sampled }) => (positives > 0 ? [sampled] : []));
  const recall = Array.from(curves[0]?.recall ?? []);
  const meanAt = (point: number): number =>
    curves.reduce((sum, { precision }) => sum + (precision[point] as number), 0) / curves.length;
  return { recall, precision: recall.map((_, point) => meanAt(point)) };
}
