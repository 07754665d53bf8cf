/** What the gates look at in pseudo labels beyond their numbers. */
import { toXyxy } from "../core/boxes.js";
import { type Dataset, type DatasetImage, objectsOf } from "../core/dataset.js";
import { type Collapse, measureCollapse } from "../labels/collapse.js";
import type { ImagePredictions } from "../labels/predictions.js";

export interface LabelEvidence {
  /** Images with as many pseudo labels as an image may have. */
  readonly full_images: number;
  /** Pseudo labels whose score is at the cap. */
  readonly capped: number;
  /** Absent with too few images to tell. */
  readonly collapse: Collapse | undefined;
}

/** Scores from here on are as good as 1. */
const CAP = 0.999;

/**
 * @param labels of the images that have some.
 * @param unlabeled whose images these are.
 * @param groundTruth the labeled set, with or without classes.
 */
export async function labelEvidence(
  labels: AsyncIterable<ImagePredictions>,
  unlabeled: Dataset,
  groundTruth: Dataset,
  maxPerImage: number,
): Promise<LabelEvidence> {
  const best: number[] = [];
  let [full_images, capped] = [0, 0];
  for await (const { imageIndex, boxXyxy, score } of labels) {
    best.push(...relative(boxXyxy.subarray(0, 4), unlabeled.images[imageIndex] as DatasetImage));
    if (score.length >= maxPerImage) full_images++;
    capped += score.filter((value) => value >= CAP).length;
  }
  return { full_images, capped, collapse: measureCollapse(Float64Array.from(best), relativeObjects(groundTruth)) };
}

/** The boxes of each image with objects, in shares of it. */
function relativeObjects({ images }: Dataset): Float64Array[] {
  return images
    .filter((image) => objectsOf(image).length > 0)
    .map((image) => Float64Array.from(objectsOf(image).flatMap(({ box_xywh }) => relative(toXyxy(box_xywh), image))));
}

function relative([left = 0, top = 0, right = 0, bottom = 0]: Iterable<number>, image: DatasetImage): number[] {
  const { width_px, height_px } = image;
  return [left / width_px, top / height_px, right / width_px, bottom / height_px];
}
