/** Splits of an annotation file, ready to be written. */
import { type Annotation, type Category, objectsOf } from "../../core/dataset.js";
import { CasslError } from "../../core/errors.js";
import { drawSplits, type SplitImage } from "./draw-splits.js";
import type { Split } from "./split-file.js";

export interface AnnotatedImage {
  readonly id: number;
  readonly file_name: string;
  readonly annotations: readonly Annotation[];
}

export interface SplitOptions {
  /** Of the images, in (0, 100]. */
  readonly percents: readonly number[];
  /** How many splits of each size, each drawn anew. */
  readonly folds: number;
  readonly seed: number;
  /** Names of the only classes that are labeled: the percents are of the images that have objects of them. */
  readonly classes?: readonly string[] | undefined;
}

/**
 * CONFIG_INVALID if a class is not in the file; DATASET_EMPTY if there is no image to draw from.
 * @param groupOf images of the same group are not torn apart.
 */
export function makeSplits(
  { categories, images }: { readonly categories: readonly Category[]; readonly images: readonly AnnotatedImage[] },
  groupOf: (image: AnnotatedImage) => string | number,
  { percents, folds, seed, classes }: SplitOptions,
): Split[] {
  const chosen = classIndices(categories, classes);
  const drawn = images.flatMap((image): SplitImage[] => {
    const own = [...new Set(objectsOf(image).map(({ class_index }) => class_index))];
    const shown = own.filter((index) => chosen.has(index));
    return classes !== undefined && shown.length === 0 ? [] : [{ id: image.id, classes: shown, group: groupOf(image) }];
  });
  if (drawn.length === 0) throw empty(classes);
  return drawSplits(drawn, percents, folds, seed).map(({ percent, fold, image_ids }) => ({
    name: `${percent}-percent-fold-${fold}-seed-${seed}`,
    ...{ percent, fold, seed },
    ...(classes === undefined ? {} : { classes }),
    image_ids,
  }));
}

/** How many of the classes no image of the split has an object of. */
export function missingClasses(
  { categories, images }: { readonly categories: readonly Category[]; readonly images: readonly AnnotatedImage[] },
  { image_ids, classes }: Split,
): string[] {
  const ids = new Set(image_ids);
  const objects = images.filter(({ id }) => ids.has(id)).flatMap(objectsOf);
  const present = new Set(objects.map(({ class_index }) => class_index));
  return [...classIndices(categories, classes)]
    .filter((index) => !present.has(index))
    .map((index) => categories[index]?.name ?? "");
}

function classIndices(categories: readonly Category[], names: readonly string[] | undefined): Set<number> {
  if (names === undefined) return new Set(categories.keys());
  return new Set(
    names.map((name) => {
      const index = categories.findIndex((category) => category.name === name);
      if (index >= 0) return index;
      const known = categories.map((category) => category.name).join(", ");
      throw new CasslError("CONFIG_INVALID", `There is no class ${name}.`, `The classes are ${known}.`);
    }),
  );
}

function empty(classes: readonly string[] | undefined): CasslError {
  const what = classes === undefined ? "no image" : `no image with an object of ${classes.join(", ")}`;
  return new CasslError("DATASET_EMPTY", `The annotation file has ${what}.`, "Give another annotation file.");
}
