/** Pseudo labels in the formats of other tools. */
import { join } from "node:path";
import { xywhAt } from "../core/boxes.js";
import type { Category, Dataset } from "../core/dataset.js";
import { writeWholeFolder } from "../data/convert/whole-folder.js";
import { writeCoco } from "../data/formats/coco/coco-writer.js";
import { labelStudioText } from "../data/formats/label-studio.js";
import type { AnnotatedSet, ListedImage, ListedObject } from "../data/formats/source-set.js";
import { writePieces } from "../data/formats/text-writer.js";
import { writeYolo } from "../data/formats/yolo/yolo-writer.js";
import type { ImagePredictions } from "../labels/predictions.js";
import { readPseudoLabels } from "../labels/pseudo-labels.js";

export const REVIEW_FORMATS = ["coco", "yolo", "label-studio"] as const;
export type ReviewFormat = (typeof REVIEW_FORMATS)[number];

export interface ReviewSource {
  /** Parquet file of pseudo labels. */
  readonly labels: string;
  /** Those that they number. */
  readonly images: Dataset["images"];
  /** The classes that a reviewer may choose from. */
  readonly categories: readonly Category[];
  /** Which of them each class of the labels is. */
  readonly classIndex: readonly number[];
  /** What reviewers see as the maker of the boxes. */
  readonly model: string;
}

/**
 * Writes all images with their pseudo labels and scores, whole or not at all.
 * @param out a folder that is not there yet: `annotations.json`; `data.yaml` and its labels; `tasks.json`.
 */
export async function writeForReview(source: ReviewSource, format: ReviewFormat, out: string): Promise<ListedImage[]> {
  const images = await readLabeled(source);
  const set: AnnotatedSet = {
    format: "coco",
    imageFolder: undefined,
    categories: source.categories,
    images,
    boxes: { rounded: 0, clipped: 0, dropped: 0 },
    maskCount: 0,
  };
  await writeWholeFolder(out, async (folder) => {
    if (format === "coco") await writeCoco(set, folder);
    else if (format === "yolo") await writeYolo(set, folder, "train");
    else await writePieces(join(folder, "tasks.json"), labelStudioText(images, source.categories, source.model));
  });
  return images;
}

async function readLabeled({ labels, images, classIndex }: ReviewSource): Promise<ListedImage[]> {
  const read = await readPseudoLabels(labels);
  const objects = new Map<number, ListedObject[]>();
  for await (const image of read.images) objects.set(image.imageIndex, objectsOf(image, classIndex));
  return images.map(({ id, file_name, width_px, height_px }, index) => {
    return { id, file_name, width_px, height_px, annotations: objects.get(index) ?? [] };
  });
}

function objectsOf(
  { boxXyxy, score, classIndex, masks }: ImagePredictions,
  classes: readonly number[],
): ListedObject[] {
  return Array.from(score, (value, row): ListedObject => {
    const box_xywh = xywhAt(boxXyxy, row);
    const mask = masks?.[row] ?? undefined;
    return {
      box_xywh,
      class_index: classes[classIndex[row] as number] as number,
      area: box_xywh[2] * box_xywh[3],
      iscrowd: false,
      score: value,
      ...(mask === undefined ? {} : { mask }),
    };
  });
}
