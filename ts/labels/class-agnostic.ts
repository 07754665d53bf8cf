/** The class-agnostic collapse of CA-SSL, and its inverse. */
import { type Category, type Dataset, objectCategory } from "../core/dataset.js";
import { CasslError } from "../core/errors.js";

/** What the collapse takes from a dataset. */
export interface ClassMap {
  readonly categories: readonly Category[];
  /** The class index of every annotation, image by image. */
  readonly classIndex: readonly (readonly number[])[];
}

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

export function classMapOf({ categories, images }: Dataset): ClassMap {
  return { categories, classIndex: images.map(({ annotations }) => annotations.map(({ class_index }) => class_index)) };
}

/**
 * The inverse: `restoreClasses(toClassAgnostic(dataset), classMapOf(dataset))` equals `dataset`.
 * ANNOTATIONS_INVALID if the map is of a dataset with other numbers of images or annotations.
 */
export function restoreClasses({ images }: Dataset, { categories, classIndex }: ClassMap): Dataset {
  if (images.length !== classIndex.length) throw foreignMap(`${images.length} images`, `${classIndex.length}`);
  return {
    categories,
    images: images.map((image, at) => {
      const classes = classIndex[at] ?? [];
      const { annotations, file_name } = image;
      if (annotations.length !== classes.length) {
        throw foreignMap(`${annotations.length} annotations in ${file_name}`, `${classes.length}`);
      }
      const restored = annotations.map((annotation, index) => ({
        ...annotation,
        class_index: classes[index] as number,
      }));
      return { ...image, annotations: restored };
    }),
  };
}

function foreignMap(has: string, knows: string): CasslError {
  const message = `The dataset has ${has}, of which the class map knows ${knows}.`;
  return new CasslError(
    "ANNOTATIONS_INVALID",
    message,
    "Restore the classes of the dataset that the map was taken from.",
  );
}
