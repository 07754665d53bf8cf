/** Writes YOLO data sets: data.yaml, and a file of labels for each image, which is empty if the image has no objects. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { stringify } from "yaml";
import { objectsOf } from "../../../core/dataset.js";
import type { AnnotatedSet, ListedImage, ListedObject } from "../source-set.js";
import { writeFiles } from "../text-writer.js";
import { refuseUnwritableImages } from "../written-names.js";
import { labelPathOf } from "./yolo-images.js";

export const IMAGE_FOLDER = "images";

/** Of shares of the image: a millionth of a pixel survives in an image a million pixels wide. */
const DECIMALS = 12;

/**
 * Classes are numbered from 0; the score of an object, if it has one, ends its line. Crowds are left out: as objects they would be wrong.
 * ANNOTATIONS_INVALID if the file name of an image cannot be written.
 * @param split what data.yaml calls the set.
 */
export async function writeYolo(set: AnnotatedSet, folder: string, split: "train" | "val" | "test"): Promise<void> {
  refuseUnwritableImages(set, ".txt");
  const names = new Map(set.categories.map(({ name }, index) => [index, name]));
  await writeFile(join(folder, "data.yaml"), stringify({ [split]: IMAGE_FOLDER, nc: set.categories.length, names }));
  await writeFiles(set.images, (image) => ({
    path: labelPathOf(join(folder, IMAGE_FOLDER, image.file_name)),
    text: labelText(image),
  }));
}

function labelText(image: ListedImage): string {
  const { width_px, height_px } = image;
  return objectsOf(image)
    .map((object) => `${line(object, width_px, height_px)}\n`)
    .join("");
}

function line(
  { class_index, box_xywh: [x, y, width, height], score }: ListedObject,
  widthPx: number,
  heightPx: number,
): string {
  const shares = [(x + width / 2) / widthPx, (y + height / 2) / heightPx, width / widthPx, height / heightPx];
  const texts = [...shares, ...(score === undefined ? [] : [score])].map((share) => share.toFixed(DECIMALS));
  return [class_index, ...texts.map((text) => text.replace(/\.?0+$/, ""))].join(" ");
}
