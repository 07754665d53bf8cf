/** What people have accepted, as the COCO file that `cassl labels import` reads. */
import type { Review, StateStore } from "../controller/state.js";
import { findStoredLabels, labeledCategories, predictedImages } from "../controller/stored-labels.js";
import type { ArtifactStore } from "../core/artifacts.js";
import type { Category, DatasetImage } from "../core/dataset.js";
import { CasslError } from "../core/errors.js";
import { area, type CompressedRle, fromCompressed } from "../masks/index.js";

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
      .flatMap(({ image, review: { objects } }, index) =>
        objects.map((object) => ({ image_id: index + 1, category_id: object.category_id, ...shapeOf(object, image) })),
      )
      .map((annotation, index) => ({ id: index + 1, ...annotation, iscrowd: 0 })),
    categories,
  };
}

/** ANNOTATIONS_INVALID if a mask does not fill its image, which is one that the run has predicted on. */
export async function checkMasks(
  runId: string,
  { file_name, objects }: Review,
  state: StateStore,
  artifacts: ArtifactStore,
): Promise<void> {
  const masks = objects.flatMap(({ mask }) => mask ?? []);
  if (masks.length === 0) return;
  const images = await predictedImages(findStoredLabels(state, runId, undefined), artifacts);
  const image = images.find((one) => one.file_name === file_name);
  if (image === undefined) {
    const message = `A mask is of ${JSON.stringify(file_name.slice(0, 200))}, which was not predicted on.`;
    throw new CasslError("ANNOTATIONS_INVALID", message, "Review images of the run.");
  }
  for (const mask of masks) fromCompressed(compressed(mask, image));
}

function shapeOf({ box_xywh, mask }: Review["objects"][number], image: DatasetImage): object {
  if (mask === undefined) return { bbox: box_xywh, area: box_xywh[2] * box_xywh[3] };
  const segmentation = compressed(mask, image);
  return { bbox: box_xywh, area: area(fromCompressed(segmentation)), segmentation };
}

function compressed(counts: string, { width_px, height_px }: DatasetImage): CompressedRle {
  return { size: [height_px, width_px], counts };
}

/** Whether the objects can be learned from. */
function isWhole({ verdict, objects }: Review): boolean {
  return verdict === "accepted" && objects.every(({ category_id }) => category_id !== undefined);
}

function imageRecord({ file_name, width_px, height_px }: DatasetImage, id: number): object {
  return { id, file_name, width: width_px, height: height_px };
}
