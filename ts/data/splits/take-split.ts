/** Applies a split to the images of an annotation file. */
import type { Annotation, Category } from "../../core/dataset.js";
import { CasslError } from "../../core/errors.js";
import type { Split } from "./split-file.js";

interface Identified {
  readonly id: number;
  readonly annotations: readonly Annotation[];
}

interface AnnotatedImages<T extends Identified> {
  readonly categories: readonly Category[];
  readonly images: readonly T[];
}

/**
 * The images that the split names, with its classes alone, and the rest as they are.
 * CONFIG_INVALID if the split names an image or a class that the annotation file lacks.
 * @param paths of both, for the message.
 */
export function takeSplit<T extends Identified>(
  { categories, images }: AnnotatedImages<T>,
  split: Split,
  paths: { readonly annotations: string; readonly split_file?: string | undefined },
): { taken: T[]; rest: T[] } {
  const known = new Set(images.map(({ id }) => id));
  const names = new Set(categories.map(({ name }) => name));
  const strangers = [
    ...split.image_ids.filter((id) => !known.has(id)).map((id) => `image ${id}`),
    ...(split.classes ?? []).filter((name) => !names.has(name)).map((name) => `class ${name}`),
  ];
  if (strangers.length > 0) throw unfit(strangers, paths);
  const wanted = new Set(split.image_ids);
  return {
    taken: onlyClasses(
      images.filter(({ id }) => wanted.has(id)),
      categories,
      split.classes,
    ),
    rest: images.filter(({ id }) => !wanted.has(id)),
  };
}

/** The images with the objects of the named classes alone. @param classes names; undefined: all. */
export function onlyClasses<T extends Identified>(
  images: readonly T[],
  categories: readonly Category[],
  classes: readonly string[] | undefined,
): T[] {
  if (classes === undefined) return [...images];
  const isKept = ({ class_index }: Annotation): boolean => classes.includes(categories[class_index]?.name ?? "");
  return images.map((image) => ({ ...image, annotations: image.annotations.filter(isKept) }));
}

function unfit(
  strangers: readonly string[],
  paths: { readonly annotations: string; readonly split_file?: string | undefined },
) {
  const shown = strangers.slice(0, 5).join(", ");
  const more = strangers.length > 5 ? ` and ${strangers.length - 5} more` : "";
  const message = `The split ${paths.split_file} names ${shown}${more}, which ${paths.annotations} does not have.`;
  return new CasslError("CONFIG_INVALID", message, "Use the annotation file that the split was drawn from.");
}
