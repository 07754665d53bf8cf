/** The door to annotations of any format. */
import type { BadBoxes } from "../box-policy.js";
import { readCoco } from "./coco/coco-reader.js";
import { detectFormat, mainFileOf } from "./detect-format.js";
import { FAULT_KINDS, refuseFaults } from "./fault-list.js";
import { fitSet } from "./fit-set.js";
import { readPlainImages } from "./images/image-reader.js";
import { descriptionFiles, readOpenImages } from "./open-images/open-images-reader.js";
import type { AnnotatedSet, AnnotationSource, Format, ReadOptions, SourceSet } from "./source-set.js";
import { readVoc, vocFiles } from "./voc/voc-reader.js";
import { readYolo, yoloFiles } from "./yolo/yolo-reader.js";

/** What curation finds out about images itself, and treats as `data.bad_images` says. */
const LEFT_TO_CURATION = "unreadable_image";

/**
 * Annotations to train on.
 * FILE_NOT_FOUND if a file cannot be read; ANNOTATIONS_INVALID with the first faults if there are any; CONFIG_INVALID if
 * the format cannot be told, or the source has several parts and none is chosen.
 */
export async function readAnnotations(
  source: AnnotationSource,
  badBoxes: BadBoxes,
  options: ReadOptions = { masks: false },
): Promise<AnnotatedSet> {
  const set = await readSource(source, options);
  const kinds = FAULT_KINDS.filter((kind) => kind !== LEFT_TO_CURATION);
  refuseFaults(set.name, set.faults, kinds);
  return fitSet(set, badBoxes);
}

/** Annotations as they stand, with what is wrong with them. Errors as in `readAnnotations`, but for the faults. */
export async function readSource(source: AnnotationSource, options: ReadOptions): Promise<SourceSet> {
  const { format, file } = await locate(source);
  switch (format) {
    case "coco":
      return readCoco(file, source, options);
    case "yolo":
      return readYolo(file, source, options);
    case "voc":
      return readVoc(source);
    case "openimages":
      return readOpenImages({ ...source, annotations: file });
    case "images":
      return readPlainImages(source);
  }
}

/**
 * The files that annotations are read from, besides images: when one is added, removed or written, they may have changed.
 * Errors as in `readAnnotations`; a single file that is missing is none.
 */
export async function annotationFiles(source: AnnotationSource): Promise<string[]> {
  const { format, file } = await locate(source);
  switch (format) {
    case "coco":
      return [file];
    case "yolo":
      return yoloFiles(file, source);
    case "voc":
      return vocFiles(source);
    case "openimages":
      return [file, ...(await descriptionFiles(file))];
    case "images":
      return source.annotations.endsWith(".txt") ? [source.annotations] : [];
  }
}

async function locate({
  annotations,
  format: given = "auto",
}: AnnotationSource): Promise<{ format: Format; file: string }> {
  const format = given === "auto" ? await detectFormat(annotations) : given;
  return { format, file: await mainFileOf(format, annotations) };
}
