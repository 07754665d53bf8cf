import { type Dataset, objectCategory } from "../core/dataset.js";

/** The same images and boxes without classes: every annotation is an `object`. */
export function toClassAgnostic(dataset: Dataset): Dataset {
  return {
    categories: [objectCategory],
    images: dataset.images.map((image) => ({
      ...image,
      annotations: image.annotations.map((annotation) => ({ ...annotation, class_index: 0 })),
    })),
  };
}
