/** A dataset of cassl as the metric reads it. */
import type { Dataset } from "../core/dataset.js";
import type { CocoGroundTruth } from "./coco/index.js";

/** Annotation ids are 1, 2, 3, ... in the order of the dataset. */
export function toCocoGroundTruth({ images, categories }: Dataset): CocoGroundTruth {
  const annotations = images.flatMap((image) => image.annotations.map((annotation) => ({ image, annotation })));
  return {
    images: images.map(({ id }) => ({ id })),
    categories,
    annotations: annotations.map(({ image, annotation }, index) => ({
      id: index + 1,
      image_id: image.id,
      category_id: categories[annotation.class_index]?.id as number,
      bbox: annotation.box_xywh,
      area: annotation.area,
      iscrowd: annotation.iscrowd ? 1 : 0,
      ...(annotation.mask === undefined
        ? {}
        : { segmentation: { size: [image.height_px, image.width_px] as const, counts: annotation.mask } }),
    })),
  };
}
