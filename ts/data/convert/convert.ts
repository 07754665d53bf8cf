/** Converts annotations from any format to another. */
import { join } from "node:path";
import { CasslError } from "../../core/errors.js";
import type { BadBoxes, BoxCounts } from "../box-policy.js";
import { writeCoco } from "../formats/coco/coco-writer.js";
import { refuseFaults } from "../formats/fault-list.js";
import { fitSet } from "../formats/fit-set.js";
import { readSource } from "../formats/read-annotations.js";
import type { AnnotatedSet, AnnotationSource, Format, WrittenFormat } from "../formats/source-set.js";
import { IMAGE_FOLDER as VOC_IMAGE_FOLDER } from "../formats/voc/voc-layout.js";
import { writeVoc } from "../formats/voc/voc-writer.js";
import { writeYolo, IMAGE_FOLDER as YOLO_IMAGE_FOLDER } from "../formats/yolo/yolo-writer.js";
import { type ClassChoice, chooseClasses } from "./class-choice.js";
import { describeLosses } from "./losses.js";
import { type ImageFiles, placeImages } from "./place-images.js";
import { writeWholeFolder } from "./whole-folder.js";

export interface Conversion {
  readonly source: AnnotationSource;
  /** Folder that is not there yet, or is empty. */
  readonly out: string;
  readonly to: WrittenFormat;
  readonly classes: ClassChoice;
  readonly badBoxes: BadBoxes;
  readonly imageFiles: ImageFiles;
  readonly signal: AbortSignal;
}

export interface Converted {
  readonly from: Format;
  readonly images: number;
  readonly objects: number;
  readonly classes: number;
  readonly boxes: BoxCounts;
  readonly has_images: boolean;
  /** What the format could not hold. */
  readonly warnings: readonly string[];
}

const IMAGE_FOLDERS: Readonly<Record<WrittenFormat, string>> = {
  coco: "images",
  yolo: YOLO_IMAGE_FOLDER,
  voc: VOC_IMAGE_FOLDER,
};

/** What data.yaml calls the parts of data sets. */
const YOLO_SPLITS: Readonly<Record<string, "val" | "test">> = {
  val: "val",
  valid: "val",
  validation: "val",
  test: "test",
};

/**
 * Writes a folder with annotations and images, all of it or nothing.
 * Errors as in `readAnnotations`, and where an image cannot be read; CONFIG_INVALID if the folder is not empty or a
 * class is unknown; FILE_NOT_FOUND if an image is missing.
 */
export async function convert(conversion: Conversion): Promise<Converted> {
  const { source, out, to, classes, badBoxes, imageFiles, signal } = conversion;
  const read = await readSource(source, { masks: to === "coco" });
  refuseFaults(read.name, read.faults);
  const set = chooseClasses(fitSet(read, badBoxes), classes);
  const { imageFolder } = set;
  const placed = imageFiles !== "none" && imageFolder !== undefined;
  await writeWholeFolder(out, async (folder) => {
    await write(set, folder, to, source.split).catch((error: unknown) => {
      throw asNameFault(error);
    });
    signal.throwIfAborted();
    if (placed) await placeImages(set, imageFolder, join(folder, IMAGE_FOLDERS[to]), imageFiles, signal);
  });
  return {
    from: set.format,
    images: set.images.length,
    objects: set.images.reduce((count, { annotations }) => count + annotations.length, 0),
    classes: set.categories.length,
    boxes: set.boxes,
    has_images: placed,
    warnings: describeLosses(set, to, imageFiles),
  };
}

async function write(set: AnnotatedSet, folder: string, to: WrittenFormat, split: string | undefined): Promise<void> {
  switch (to) {
    case "coco":
      return writeCoco(set, folder);
    case "yolo":
      return writeYolo(set, folder, YOLO_SPLITS[split ?? ""] ?? "train");
    case "voc":
      return writeVoc(set, folder, split ?? "default");
  }
}

/** A file name in annotations may be longer than a file system takes. */
function asNameFault(error: unknown): unknown {
  if ((error as NodeJS.ErrnoException).code !== "ENAMETOOLONG") return error;
  const message = `A file name is too long to be written: ${(error as Error).message}.`;
  return new CasslError("ANNOTATIONS_INVALID", message, "Rename the image.", { cause: error });
}
