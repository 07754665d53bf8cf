/** Writes Pascal VOC data sets: an XML file for each image, an image set that names them all, and the names of the classes. */
import { basename, dirname, join } from "node:path";
import { withoutExtension } from "../folders.js";
import { snapPx } from "../numbers.js";
import type { AnnotatedSet, ListedImage, ListedObject } from "../source-set.js";
import { writeFiles } from "../text-writer.js";
import { refuseUnwritableClasses, refuseUnwritableImages } from "../written-names.js";
import { ANNOTATION_FOLDER, IMAGE_SET_FOLDER, LABEL_MAP } from "./voc-layout.js";

/**
 * Crowds are marked as difficult, which tools that know no crowds pass over, and as `iscrowd`.
 * ANNOTATIONS_INVALID if a name of an image or class cannot be written.
 * @param split name of the image set.
 */
export async function writeVoc(set: AnnotatedSet, folder: string, split: string): Promise<void> {
  refuseUnwritableImages(set, ".xml");
  refuseUnwritableClasses(set);
  const names = set.categories.map(({ name }) => name);
  const stems = set.images.map(({ file_name }) => withoutExtension(file_name));
  const files = [
    { path: join(folder, LABEL_MAP), text: lines(names.map((name) => `${name}:::`)) },
    { path: join(folder, IMAGE_SET_FOLDER, `${split}.txt`), text: lines(stems) },
  ];
  await writeFiles(files, (file) => file);
  await writeFiles(set.images, (image) => ({
    path: join(folder, ANNOTATION_FOLDER, `${withoutExtension(image.file_name)}.xml`),
    text: annotationText(image, names),
  }));
}

function lines(texts: readonly string[]): string {
  return texts.map((text) => `${text}\n`).join("");
}

function annotationText(
  { file_name, width_px, height_px, annotations }: ListedImage,
  names: readonly string[],
): string {
  const folder = dirname(file_name);
  return `<annotation>
  <folder>${escapeXml(folder === "." ? "" : folder)}</folder>
  <filename>${escapeXml(basename(file_name))}</filename>
  <size>
    <width>${width_px}</width>
    <height>${height_px}</height>
    <depth>3</depth>
  </size>
  <segmented>0</segmented>
${annotations.map((object) => objectText(object, names[object.class_index] as string)).join("")}</annotation>
`;
}

function objectText({ box_xywh: [x, y, width, height], iscrowd }: ListedObject, name: string): string {
  return `  <object>
    <name>${escapeXml(name)}</name>
    <pose>Unspecified</pose>
    <truncated>0</truncated>
    <difficult>${Number(iscrowd)}</difficult>
${iscrowd ? "    <iscrowd>1</iscrowd>\n" : ""}    <bndbox>
      <xmin>${snapPx(x)}</xmin>
      <ymin>${snapPx(y)}</ymin>
      <xmax>${snapPx(x + width)}</xmax>
      <ymax>${snapPx(y + height)}</ymax>
    </bndbox>
  </object>
`;
}

function escapeXml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
