/** What people have accepted, as the COCO file that `cassl labels import` reads. */

import type { Review, StateStore } from "../controller/state.js";
import { findStoredLabels, labeledCategories, predictedImages } from "../controller/stored-labels.js";
import type { ArtifactStore } from "../core/artifacts.js";
import type { Category, DatasetImage } from "../core/dataset.js";

export interface ReviewedCoco {
  readonly images: readonly object[];
  readonly annotations: readonly object[];
  readonly categories: readonly Category[];
}

/** Accepted images, but for those with boxes whose class nobody has given. RUN_NOT_FOUND if the run has no predictions. */
export async function reviewedCoco(runId: string, state: StateStore, artifacts: ArtifactStore): Promise<ReviewedCoco> {
  const stored = findStoredLabels(state, runId, undefined);
  const categories = await labeledCategories(stored, artifacts);
  const byName = new Map((await predictedImages(stored, artifacts)).map((image) => [image.file_name, image]));
  const whole = state.listReviews(runId).filter(isWhole);
  const images = whole.flatMap((review) => {
    const image = byName.get(review.file_name);
    return image === undefined ? [] : [{ image, review }];
  });
  return {
    images: images.map(({ image }, index) => imageRecord(image, index + 1)),
    annotations: images
      .flatMap(({ review: { objects } }, index) => objects.map((object) => ({ ...object, image_id: index + 1 })))
      .map(({ box_xywh, category_id, image_id }, index) => ({
        id: index + 1,
        image_id,
        category_id,
        bbox: box_xywh,
        area: box_xywh[2] * box_xywh[3],
        iscrowd: 0,
      })),
    categories,
  };
}

/** Whether the objects can be learned from. */
export function isWhole({ verdict, objects }: Review): boolean {
  return verdict === "accepted" && objects.every(({ category_id }) => category_id !== undefined);
}

function imageRecord({ file_name, width_px, height_px }: DatasetImage, id: number): object {
  return { id, file_name, width: width_px, height: height_px };
}
