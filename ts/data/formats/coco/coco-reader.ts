/** Reads COCO annotation files, whatever contradicts itself being listed as a fault. */
import { dirname, join } from "node:path";
import { COCO_URL, placeIn } from "../../../images/places.js";
import { createFaultList } from "../fault-list.js";
import { isFile } from "../folders.js";
import type { AnnotationSource, ReadOptions, SourceImage, SourceSet } from "../source-set.js";
import { groupRows } from "./annotation-rows.js";
import { readCocoRecords } from "./coco-file.js";
import { listRepeatedAnnotations, listRepeatedNames, listUnknown, uniqueById } from "./contradictions.js";

/**
 * FILE_NOT_FOUND if the file cannot be read; ANNOTATIONS_INVALID if it is not a whole COCO file.
 * @param file that holds the annotations.
 */
export async function readCoco(file: string, source: AnnotationSource, { masks }: ReadOptions): Promise<SourceSet> {
  const faults = createFaultList();
  const records = readCocoRecords(file, faults, masks, source.images === COCO_URL);
  const categories = uniqueById(
    records.categories,
    faults,
    (first, { id, name }) => `duplicate category id ${id}: ${first.name} and ${name}`,
  );
  const images = uniqueById(
    records.images,
    faults,
    (first, { id, file_name }) => `duplicate image id ${id}: ${first.file_name} and ${file_name}`,
  );
  const objects = groupRows(records.annotations, indicesOf(images), indicesOf(categories));
  listRepeatedNames(images, faults);
  listRepeatedAnnotations(records, faults);
  if (objects.sourceIds.length < records.annotations.count) listUnknown(records, faults);
  return {
    format: "coco",
    name: file,
    imageFolder: await findImageFolder(file, source.images, images),
    categories,
    images,
    objects,
    maskCount: records.maskCount,
    faults,
    objectName: (_, id) => `annotation ${id}`,
  };
}

function indicesOf(records: readonly { readonly id: number }[]): Map<number, number> {
  return new Map(records.map(({ id }, index) => [id, index]));
}

/** The given folder; else the first of the usual ones that has the first image. */
async function findImageFolder(
  file: string,
  given: string | undefined,
  images: readonly SourceImage[],
): Promise<string | undefined> {
  if (given !== undefined) return given;
  const folder = dirname(file);
  for (const usual of [join(folder, "images"), join(dirname(folder), "images"), folder]) {
    if (images[0] !== undefined && (await isFile(placeIn(usual, images[0].file_name)))) return usual;
  }
  return undefined;
}
