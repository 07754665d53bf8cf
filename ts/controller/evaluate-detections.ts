/** Detections that a client streams, evaluated on a registered data set. */
import type { ArtifactStore } from "../core/artifacts.js";
import { CasslError } from "../core/errors.js";
import { decodeManifest } from "../data/manifest.js";
import { type CocoEvaluator, createEvaluator } from "../evaluation/coco/index.js";
import { toCocoGroundTruth } from "../evaluation/dataset-format.js";
import type {
  EvaluateDetectionsRequest,
  EvaluateDetectionsResponse,
  ImageDetections,
  RegisteredDataset,
} from "../gen/cassl/v1/controller_service.js";

const MOST_DETECTIONS = 5_000_000;

/** @param find DATASET_NOT_FOUND if there is no such data set. Other errors are those of EvaluateDetections. */
export async function evaluateDetections(
  requests: AsyncIterable<EvaluateDetectionsRequest>,
  find: (name: string) => RegisteredDataset,
  artifacts: ArtifactStore,
): Promise<EvaluateDetectionsResponse> {
  let evaluators: CocoEvaluator[] | undefined;
  let count = 0;
  for await (const { message } of requests) {
    if (evaluators === undefined) {
      if (message?.$case !== "start") throw outOfOrder("starts without a `start`");
      evaluators = await openEvaluators(find(message.value.dataset), artifacts);
    } else {
      if (message?.$case !== "detections") throw outOfOrder("has a second message that is no `detections`");
      count += message.value.score.length;
      if (count > MOST_DETECTIONS) throw tooMany();
      for (const evaluator of evaluators) add(evaluator, message.value);
    }
  }
  const [classAware, classAgnostic] = evaluators ?? [];
  if (classAware === undefined || classAgnostic === undefined) throw outOfOrder("is empty");
  const { stats, perClass } = classAware.evaluate();
  return {
    stats: [...stats],
    class_agnostic_ap: classAgnostic.evaluate().summary.ap,
    classes: perClass.map(({ categoryId, name, ap }) => ({ category_id: categoryId, name, ap })),
    detection_count: count,
  };
}

/** One that heeds classes and one that does not. */
async function openEvaluators({ validation }: RegisteredDataset, artifacts: ArtifactStore): Promise<CocoEvaluator[]> {
  const groundTruth = toCocoGroundTruth(decodeManifest(await artifacts.read(validation?.sha256 ?? "")));
  return [await createEvaluator(groundTruth), await createEvaluator(groundTruth, { useCats: false })];
}

function add(evaluator: CocoEvaluator, { image_id, box_xywh, category_id, score }: ImageDetections): void {
  if (box_xywh.length !== 4 * score.length || category_id.length !== score.length) {
    const lengths = `${box_xywh.length} numbers of boxes, ${category_id.length} classes and ${score.length} scores`;
    const message = `The detections of image ${image_id} have ${lengths}.`;
    throw new CasslError("REQUEST_INVALID", message, "Give 4 numbers, one class and one score for each detection.");
  }
  evaluator.add(image_id, {
    boxXywh: Float64Array.from(box_xywh),
    categoryId: Float64Array.from(category_id),
    score: Float64Array.from(score),
  });
}

function outOfOrder(fault: string): CasslError {
  const remedy = "Send `start` first, then `detections`.";
  return new CasslError("REQUEST_INVALID", `The EvaluateDetections stream ${fault}.`, remedy);
}

function tooMany(): CasslError {
  const message = `More than ${MOST_DETECTIONS} detections came.`;
  return new CasslError("LIMIT_EXCEEDED", message, "Send the 100 best of each image, which are those that count.");
}
