import { type Annotation, type Category, objectsOf } from "./dataset.js";
import { CasslError } from "./errors.js";

interface Annotated {
  readonly annotations: readonly Annotation[];
}

/** The classes, by name, that have an object in any of the images. Crowds are not objects. */
export function classesWithObjects(images: readonly Annotated[], categories: readonly Category[]): Set<string> {
  const indices = new Set(images.flatMap((image) => objectsOf(image).map(({ class_index }) => class_index)));
  return new Set([...indices].map((index) => (categories[index] as Category).name));
}

/**
 * The same images with the class indices of other categories.
 * CATEGORY_MISMATCH if an annotated class is not among them under its id and name.
 *
 * @param what names the images, at the start of a sentence.
 * @param to those of the labeled set.
 */
export function withCategories<T extends Annotated>(
  images: readonly T[],
  from: readonly Category[],
  to: readonly Category[],
  what: string,
): T[] {
  const indices = from.map(({ id, name }) => to.findIndex((category) => category.id === id && category.name === name));
  const used = new Set(images.flatMap(({ annotations }) => annotations.map(({ class_index }) => class_index)));
  const missing = from.filter((_, index) => used.has(index) && indices[index] === -1);
  if (missing.length > 0) throw mismatch(what, missing, to);
  return images.map((image) => ({
    ...image,
    annotations: image.annotations.map((annotation) => ({
      ...annotation,
      class_index: indices[annotation.class_index] as number,
    })),
  }));
}

function mismatch(what: string, missing: readonly Category[], to: readonly Category[]): CasslError {
  const show = (categories: readonly Category[]): string =>
    categories.map(({ id, name }) => `${name} (id ${id})`).join(", ");
  return new CasslError(
    "CATEGORY_MISMATCH",
    `${what} has the classes ${show(missing)}, which the labeled set lacks. That has ${show(to)}.`,
    "Give both annotation files the same categories, or leave the class out.",
  );
}
