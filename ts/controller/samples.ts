/** Images to show in a run's report: pseudo labels of each arm, and its detections on the validation set. */
import { join } from "node:path";
import type { ArtifactStore } from "../core/artifacts.js";
import { xywhAt } from "../core/boxes.js";
import type { Category, Dataset, DatasetImage } from "../core/dataset.js";
import type { CuratedData } from "../data/curate.js";
import { decodeManifest } from "../data/manifest.js";
import type { CocoResult } from "../evaluation/coco/index.js";
import type { ArtifactRef } from "../gen/cassl/v1/artifact_service.js";
import type { ImagePredictions } from "../labels/predictions.js";
import { readPseudoLabels } from "../labels/pseudo-labels.js";
import type { CompressedRle } from "../masks/index.js";
import type { ArmResult, RunResult } from "../pipeline/pipeline.js";
import type { SampleBox, SampleImage } from "../report/report.js";

/** Of each arm and kind. */
const IMAGES = 4;
const MIN_SHOWN_SCORE = 0.3;

export async function gatherSamples(
  result: RunResult,
  curated: CuratedData,
  artifacts: ArtifactStore,
): Promise<SampleImage[]> {
  const load = async ({ sha256 }: ArtifactRef): Promise<Dataset> => decodeManifest(await artifacts.read(sha256));
  const [unlabeled, validation] = [await load(curated.unlabeled), await load(curated.validation)];
  const samples = result.arms.map(async (arm) => [
    ...(await pseudoLabelSamples(arm, unlabeled, curated.image_root, artifacts)),
    ...(await detectionSamples(arm, validation, curated.image_root, artifacts)),
  ]);
  return (await Promise.all(samples)).flat();
}

/** Of the last round. */
async function pseudoLabelSamples(
  { arm, rounds }: ArmResult,
  unlabeled: Dataset,
  imageRoot: string,
  artifacts: ArtifactStore,
): Promise<SampleImage[]> {
  const last = rounds.at(-1);
  if (last === undefined) return [];
  const { categories, imageCount, images } = await readPseudoLabels(await artifacts.path(last.pseudo_labels.sha256));
  const chosen: ImagePredictions[] = [];
  for await (const labels of images) {
    // From each part of the dataset, which may be too large to be held.
    if (labels.imageIndex >= (chosen.length * imageCount) / IMAGES) chosen.push(labels);
    if (chosen.length === IMAGES) break;
  }
  return chosen.map((labels) => {
    const image = unlabeled.images[labels.imageIndex] as DatasetImage;
    return sampleOf(`${arm}, pseudo labels`, image, imageRoot, pseudoLabelBoxes(labels, categories));
  });
}

async function detectionSamples(
  { arm, detections }: ArmResult,
  { images, categories }: Dataset,
  imageRoot: string,
  artifacts: ArtifactStore,
): Promise<SampleImage[]> {
  const results = await readResults(detections, artifacts);
  return spread(images, IMAGES).map((image) => {
    const detected = results.filter(({ image_id, score }) => image_id === image.id && score >= MIN_SHOWN_SCORE);
    const boxes = [...groundTruthBoxes(image, categories), ...detectionBoxes(detected, categories)];
    return sampleOf(`${arm}, validation`, image, imageRoot, boxes);
  });
}

async function readResults(detections: ArtifactRef, artifacts: ArtifactStore): Promise<CocoResult[]> {
  return JSON.parse(Buffer.from(await artifacts.read(detections.sha256)).toString()) as CocoResult[];
}

function sampleOf(caption: string, image: DatasetImage, imageRoot: string, boxes: SampleBox[]): SampleImage {
  const { file_name, width_px, height_px } = image;
  return { title: `${caption}: ${file_name}`, image_path: join(imageRoot, file_name), width_px, height_px, boxes };
}

function pseudoLabelBoxes(
  { boxXyxy, score, classIndex, masks }: ImagePredictions,
  categories: readonly Category[],
): SampleBox[] {
  return Array.from(score, (value, row) => ({
    box_xywh: xywhAt(boxXyxy, row),
    label: categories[classIndex[row] as number]?.name ?? "",
    score: value,
    kind: "pseudo_label",
    ...withMask(masks?.[row]),
  }));
}

function groundTruthBoxes({ annotations }: DatasetImage, categories: readonly Category[]): SampleBox[] {
  return annotations.map(({ box_xywh, class_index, mask }) => ({
    box_xywh,
    label: categories[class_index]?.name ?? "",
    kind: "ground_truth",
    ...withMask(mask),
  }));
}

function detectionBoxes(results: readonly CocoResult[], categories: readonly Category[]): SampleBox[] {
  return results.map(({ bbox: [x = 0, y = 0, width = 0, height = 0], category_id, score, segmentation }) => ({
    box_xywh: [x, y, width, height],
    label: categories.find(({ id }) => id === category_id)?.name ?? "",
    score,
    kind: "detection",
    ...withMask((segmentation as CompressedRle | undefined)?.counts),
  }));
}

function withMask(mask: string | null | undefined): Pick<SampleBox, "mask"> {
  return mask ? { mask } : {};
}

/** `count` of the items, evenly spread; all of them if there are no more. */
function spread<T>(items: readonly T[], count: number): T[] {
  const step = Math.max(1, items.length / count);
  return Array.from({ length: Math.min(count, items.length) }, (_, index) => items[Math.floor(index * step)] as T);
}
