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
import type { ArmResult, RoundResult, RunResult } from "../pipeline/pipeline.js";
import { armName, type SampleBox, type SampleGroup, type SampleImage } from "../report/report.js";

/** Of each arm and kind. */
const IMAGES = 4;
const MIN_SHOWN_SCORE = 0.3;
/** In a row: more of them would be too small to be read. */
const LEAST_COLUMNS = 2;

export async function gatherSamples(
  { arms }: RunResult,
  curated: CuratedData,
  artifacts: ArtifactStore,
): Promise<SampleGroup[]> {
  const load = async ({ sha256 }: ArtifactRef): Promise<Dataset> => decodeManifest(await artifacts.read(sha256));
  const [unlabeled, validation] = [await load(curated.unlabeled), await load(curated.validation)];
  const groups: SampleGroup[] = [];
  for (const result of armsWithLabels(arms)) {
    const images = await pseudoLabelSamples(result, unlabeled, curated.image_root, artifacts);
    groups.push({ title: `Pseudo labels of ${result.arm} on unlabeled images`, columns: LEAST_COLUMNS, images });
  }
  const images = await detectionSamples(arms, validation, curated.image_root, artifacts);
  return [
    ...groups,
    { title: "Detections on validation images, arm by arm", columns: Math.max(LEAST_COLUMNS, arms.length), images },
  ];
}

/** One for each arm that has pseudo labels, which its targets have in common. */
function armsWithLabels(arms: readonly ArmResult[]): ArmResult[] {
  const withLabels = arms.filter(({ rounds }) => rounds.length > 0);
  return withLabels.filter(({ arm }, index) => withLabels.findIndex((other) => other.arm === arm) === index);
}

/** Of the last round. */
async function pseudoLabelSamples(
  { rounds }: ArmResult,
  unlabeled: Dataset,
  imageRoot: string,
  artifacts: ArtifactStore,
): Promise<SampleImage[]> {
  const last = rounds.at(-1) as RoundResult;
  const { categories, imageCount, images } = await readPseudoLabels(await artifacts.path(last.pseudo_labels.sha256));
  const chosen: ImagePredictions[] = [];
  for await (const labels of images) {
    // From each part of the dataset, which may be too large to be held.
    if (labels.imageIndex >= (chosen.length * imageCount) / IMAGES) chosen.push(labels);
    if (chosen.length === IMAGES) break;
  }
  return chosen.map((labels) => {
    const image = unlabeled.images[labels.imageIndex] as DatasetImage;
    return sampleOf(image.file_name, image, imageRoot, pseudoLabelBoxes(labels, categories));
  });
}

/** Each image as every arm sees it. */
async function detectionSamples(
  arms: readonly ArmResult[],
  { images, categories }: Dataset,
  imageRoot: string,
  artifacts: ArtifactStore,
): Promise<SampleImage[]> {
  const shown = spread(images, IMAGES);
  const byArm = await Promise.all(
    arms.map(async (result) => {
      const results = await readResults(result.detections, artifacts);
      return shown.map((image) => {
        const detected = results.filter(({ image_id, score }) => image_id === image.id && score >= MIN_SHOWN_SCORE);
        const boxes = [...groundTruthBoxes(image, categories), ...detectionBoxes(detected, categories)];
        return sampleOf(`${armName(result, arms)}: ${image.file_name}`, image, imageRoot, boxes);
      });
    }),
  );
  return shown.flatMap((_, index) => byArm.map((samples) => samples[index] as SampleImage));
}

async function readResults(detections: ArtifactRef, artifacts: ArtifactStore): Promise<CocoResult[]> {
  return JSON.parse(Buffer.from(await artifacts.read(detections.sha256)).toString()) as CocoResult[];
}

function sampleOf(title: string, image: DatasetImage, imageRoot: string, boxes: SampleBox[]): SampleImage {
  const { file_name, width_px, height_px } = image;
  return { title, image_path: join(imageRoot, file_name), width_px, height_px, boxes };
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
