import type { Annotation, Category } from "./dataset.js";
import { CasslError } from "./errors.js";

interface Annotated {
  readonly annotations: readonly Annotation[];
}

/** The classes, by name, that have an object in any of the images. Crowds are not objects. */
export function classesWithObjects(images: readonly Annotated[], categories: readonly Category[]): Set<string> {
  const indices = new Set(
    images.flatMap(({ annotations }) => annotations.filter(isObject).map(({ class_index }) => class_index)),
  );
  return new Set([...indices].map((index) => (categories[index] as Category).name));
}

/**
 * The same images with the class indices of other categories.
 * CATEGORY_MISMATCH if an annotated class is not among them under its id and name.
 */
export function withCategories<T extends Annotated>(
  images: readonly T[],
  from: readonly Category[],
  to: readonly Category[],
): T[] {
  const indices = from.map(({ id, name }) => to.findIndex((category) => category.id === id && category.name === name));
  const used = new Set(images.flatMap(({ annotations }) => annotations.map(({ class_index }) => class_index)));
  const missing = from.filter((_, index) => used.has(index) && indices[index] === -1);
  if (missing.length > 0) throw mismatch(missing, to);
  return images.map((image) => ({
    ...image,
    annotations: image.annotations.map((annotation) => ({
      ...annotation,
      class_index: indices[annotation.class_index] as number,
    })),
  }));
}

function mismatch(missing: readonly Category[], to: readonly Category[]): CasslError {
  const show = (categories: readonly Category[]): string =>
    categories.map(({ id, name }) => `${name} (id ${id})`).join(", ");
  return new CasslError(
    "CATEGORY_MISMATCH",
    `The validation set has the classes ${show(missing)}, which the labeled set lacks. It has ${show(to)}.`,
    "Give both annotation files the same categories, or leave the class out of the validation set.",
  );
}

function isObject({ iscrowd }: Annotation): boolean {
  return !iscrowd;
}
