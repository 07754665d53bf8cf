/** What the gates look at in pseudo labels beyond their numbers. */
import type { Annotation, Dataset, DatasetImage } from "../core/dataset.js";
import { objectsOf } from "../data/manifest.js";
import { type Collapse, measureCollapse } from "../labels/collapse.js";

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

/** @param groundTruth the labeled set, with or without classes. */
export function labelEvidence(pseudoLabels: Dataset, groundTruth: Dataset, maxPerImage: number): LabelEvidence {
  const best = pseudoLabels.images.flatMap((image) => {
    const [first] = image.annotations;
    return first === undefined ? [] : relative(first, image);
  });
  const capped = pseudoLabels.images.flatMap(({ annotations }) => annotations.filter(({ score = 0 }) => score >= CAP));
  return {
    full_images: pseudoLabels.images.filter(({ annotations }) => annotations.length >= maxPerImage).length,
    capped: capped.length,
    collapse: measureCollapse(Float64Array.from(best), relativeObjects(groundTruth)),
  };
}

/** The boxes of each image with objects, in shares of it. */
function relativeObjects({ images }: Dataset): Float64Array[] {
  return images
    .filter((image) => objectsOf(image).length > 0)
    .map((image) => Float64Array.from(objectsOf(image).flatMap((annotation) => relative(annotation, image))));
}

function relative({ box_xywh: [x, y, width, height] }: Annotation, { width_px, height_px }: DatasetImage): number[] {
  return [x / width_px, y / height_px, (x + width) / width_px, (y + height) / height_px];
}
