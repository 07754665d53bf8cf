/** What a data set must be like for formats that keep one file of labels for each image. */
import { failOnFaults } from "../faults.js";
import { withoutExtension } from "./folders.js";
import { show } from "./show.js";
import type { AnnotatedSet } from "./source-set.js";

/** ANNOTATIONS_INVALID if two images would share a file of labels, or a name of an image cannot stand on a line of text. */
export function refuseUnwritableImages({ images }: AnnotatedSet, extension: string): void {
  const firsts = new Map<string, string>();
  const faults = images.flatMap(({ file_name }) => {
    if (!isOneLine(file_name))
      return [`the file name ${show(file_name)} has blanks at its ends, or is more than a line`];
    const stem = withoutExtension(file_name);
    const first = firsts.get(stem);
    firsts.set(stem, first ?? file_name);
    return first === undefined ? [] : [`${first} and ${file_name} would both have ${stem}${extension}`];
  });
  failOnFaults("ANNOTATIONS_INVALID", "Images that cannot be written", faults, "Rename the images.");
}

/** ANNOTATIONS_INVALID if two classes have one name, or a name cannot stand on a line of text. */
export function refuseUnwritableClasses({ categories }: AnnotatedSet): void {
  const seen = new Set<string>();
  const faults = categories.flatMap(({ id, name }) => {
    if (!isOneLine(name))
      return [`the class name ${show(name)} (id ${id}) has blanks at its ends, or is more than a line`];
    if (seen.has(name)) return [`several classes have the name ${show(name)}`];
    seen.add(name);
    return [];
  });
  failOnFaults("ANNOTATIONS_INVALID", "Classes that cannot be written", faults, "Rename or merge them with --map.");
}

function isOneLine(name: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what neither XML nor a line of text can hold.
  return name.trim() === name && !/[\u0000-\u001f\u007f\u0085\u2028\u2029\ufffe\uffff]/.test(name);
}
