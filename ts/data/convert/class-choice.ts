/** Renames, merges and chooses the classes of a data set. */
import type { Category } from "../../core/dataset.js";
import { CasslError } from "../../core/errors.js";
import type { AnnotatedSet } from "../formats/source-set.js";

export interface ClassChoice {
  /** New names by old ones. Classes that come to have one name become one. */
  readonly names: ReadonlyMap<string, string>;
  /** The new names of the classes to keep; undefined: all. Images that lose all their objects stay. */
  readonly keep: readonly string[] | undefined;
}

/**
 * Classes keep their ids; merged ones take the lowest of theirs.
 * CONFIG_INVALID if the data set has no class of a name.
 */
export function chooseClasses(set: AnnotatedSet, { names, keep }: ClassChoice): AnnotatedSet {
  refuseUnknown([...names.keys()], set.categories);
  const renamed = set.categories.map(({ id, name }): Category => ({ id, name: names.get(name) ?? name }));
  if (keep !== undefined) refuseUnknown(keep, renamed);
  const merged = new Set(names.values());
  const firstOf = renamed.map(({ name }, index) =>
    merged.has(name) ? renamed.findIndex((other) => other.name === name) : index,
  );
  const kept = renamed.filter(({ name }, index) => firstOf[index] === index && (keep?.includes(name) ?? true));
  const indices = firstOf.map((first) => kept.indexOf(renamed[first] as Category));
  return { ...set, categories: kept, images: set.images.map((image) => withIndices(image, indices)) };
}

/** @param indices the new class index of each; -1: none. */
function withIndices(image: AnnotatedSet["images"][number], indices: readonly number[]): typeof image {
  const annotations = image.annotations.map((object) => {
    return { ...object, class_index: indices[object.class_index] as number };
  });
  return { ...image, annotations: annotations.filter(({ class_index }) => class_index >= 0) };
}

function refuseUnknown(names: readonly string[], categories: readonly Category[]): void {
  const known = categories.map(({ name }) => name);
  const unknown = names.filter((name) => !known.includes(name));
  if (unknown.length === 0) return;
  const message = `There is no class ${unknown.join(", ")}; the data set has ${known.join(", ")}.`;
  throw new CasslError("CONFIG_INVALID", message, "Give names of its classes.");
}
