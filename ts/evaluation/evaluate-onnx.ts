/** COCO numbers of an exported model on a dataset: the file itself is run, as whoever deploys it would. */
import type { ArtifactStore } from "../core/artifacts.js";
import type { Dataset, DatasetImage } from "../core/dataset.js";
import type { ArtifactRef } from "../gen/cassl/v1/artifact_service.js";
import type { ImageStore } from "../images/image-store.js";
import { placeIn } from "../images/places.js";
import { type CocoGroundTruth, type CocoResult, evaluateCoco } from "./coco/index.js";
import { toCocoGroundTruth } from "./dataset-format.js";
import type { Detections } from "./onnx/detections.js";
import { type ModelMetadata, readModelMetadata } from "./onnx/model-metadata.js";
import { detectObjects } from "./onnx/session.js";

export interface EvaluateOnnxOptions {
  /** Path of an ONNX file that cassl exported. */
  readonly model: string;
  readonly dataset: Dataset;
  /** What the dataset's file names are relative to. */
  readonly imageRoot: string;
  readonly images: ImageStore;
  /** Takes the detections. */
  readonly artifacts: ArtifactStore;
  readonly signal: AbortSignal;
  readonly onProgress: (done: number, total: number) => void;
}

/** As stored in result.json. Fractions; -1 where the dataset has nothing to find, which is no AP at all. */
export interface EvaluationSummary {
  readonly ap: number;
  readonly ap50: number;
  readonly ap75: number;
  /** AP with classes disregarded: how well objects are found, whatever they are called. */
  readonly class_agnostic_ap: number;
  /** The same of masks; absent if the model gives none. */
  readonly segm_ap?: number;
  readonly segm_ap50?: number;
  readonly segm_ap75?: number;
  readonly class_agnostic_segm_ap?: number;
  /** The twelve numbers of COCO: AP AP50 AP75 APs APm APl AR1 AR10 AR100 ARs ARm ARl. */
  readonly stats: readonly number[];
  readonly per_class: readonly ClassAp[];
  /** COCO results JSON, with masks if the model gives them. */
  readonly detections: ArtifactRef;
}

export interface ClassAp {
  readonly category_id: number;
  readonly name: string;
  readonly ap: number;
}

/** IMAGE_INVALID, MODEL_INVALID or FILE_NOT_FOUND say what cannot be used; CANCELLED when `signal` aborts. */
export async function evaluateOnnx(options: EvaluateOnnxOptions): Promise<EvaluationSummary> {
  const { model, dataset, imageRoot, images, artifacts, signal, onProgress } = options;
  const metadata = await readModelMetadata(model);
  const imagePaths = dataset.images.map(
    ({ file_name, sha256 }) =>
      () =>
        images.pathOf(placeIn(imageRoot, file_name), sha256),
  );
  const detections = await detectObjects({ model, metadata, imagePaths, signal, onProgress });
  const results = toCocoResults(dataset, detections, metadata);
  const groundTruth = toCocoGroundTruth(dataset);
  const { stats, summary, perClass } = await evaluateCoco(groundTruth, results);
  const classAgnostic = await evaluateCoco(groundTruth, results, { useCats: false });
  return {
    ap: summary.ap,
    ap50: summary.ap50,
    ap75: summary.ap75,
    class_agnostic_ap: classAgnostic.summary.ap,
    ...(metadata.masks === undefined ? {} : await evaluateMasks(groundTruth, results)),
    stats,
    per_class: perClass.map(({ categoryId, name, ap }) => ({ category_id: categoryId, name, ap })),
    detections: await artifacts.put(Buffer.from(JSON.stringify(results))),
  };
}

type MaskSummary = Pick<EvaluationSummary, "segm_ap" | "segm_ap50" | "segm_ap75" | "class_agnostic_segm_ap">;

/** Without their boxes, so that the size of a detection is that of its mask. */
async function evaluateMasks(groundTruth: CocoGroundTruth, results: readonly CocoResult[]): Promise<MaskSummary> {
  const masks = results.flatMap(({ bbox: _, segmentation, ...rest }) =>
    segmentation ? [{ ...rest, segmentation }] : [],
  );
  const { summary } = await evaluateCoco(groundTruth, masks, { iouType: "segm" });
  const classAgnostic = await evaluateCoco(groundTruth, masks, { iouType: "segm", useCats: false });
  return {
    segm_ap: summary.ap,
    segm_ap50: summary.ap50,
    segm_ap75: summary.ap75,
    class_agnostic_segm_ap: classAgnostic.summary.ap,
  };
}

function toCocoResults(
  { images }: Dataset,
  detections: readonly Detections[],
  { categories }: ModelMetadata,
): CocoResult[] {
  return detections.flatMap(({ boxXywh, score, classIndex, masks }, n) => {
    const { id, width_px, height_px } = images[n] as DatasetImage;
    return Array.from(score, (value, i) => ({
      image_id: id,
      category_id: categories[classIndex[i] as number]?.id as number,
      bbox: Array.from(boxXywh.subarray(4 * i, 4 * i + 4)),
      ...(masks === undefined
        ? {}
        : { segmentation: { size: [height_px, width_px] as const, counts: masks[i] as string } }),
      score: value,
    }));
  });
}
