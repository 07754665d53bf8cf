/** Reads YOLO data sets. */
import { FILES_AT_ONCE, mapConcurrently } from "../../../core/concurrency.js";
import type { Category } from "../../../core/dataset.js";
import { CasslError } from "../../../core/errors.js";
import { createFaultList, type FaultList } from "../fault-list.js";
import { relativeName } from "../folders.js";
import { inNameOrder } from "../name-order.js";
import { type ObjectRow, toObjectTable } from "../object-table.js";
import { type ReadImage, readSize } from "../sized-images.js";
import type { AnnotationSource, ReadOptions, SourceSet } from "../source-set.js";
import { readTextFile } from "../text-file.js";
import { readYoloConfig } from "./yolo-config.js";
import { findYoloImages, type YoloImage } from "./yolo-images.js";
import { parseYoloLabels, type YoloLabelFormat } from "./yolo-labels.js";

/**
 * Class numbers are category ids. Images are numbered from 1 in the order of their names; one without a label file has
 * no objects.
 * @param file that tells of the data set, see `findYoloConfig`.
 */
export async function readYolo(
  file: string,
  { images: given, split }: AnnotationSource,
  { masks }: ReadOptions,
): Promise<SourceSet> {
  const config = await readYoloConfig(file);
  const { imageFolder, images, orphans } = await findYoloImages(config, split, given);
  const categories = [...config.names].map(([id, name]): Category => ({ id, name }));
  const classIndices = new Map(categories.map(({ id }, index) => [id, index]));
  const faults = createFaultList();
  for (const orphan of orphans) faults.add("label_without_image", `${orphan} has labels, and there is no image for it`);
  const format = { classIndices, hasKeypoints: config.hasKeypoints };
  const sorted = inOrder(images, imageFolder, faults);
  const read = await mapConcurrently(sorted, FILES_AT_ONCE, (image) => readImage(image, imageFolder, format, faults));
  return {
    format: "yolo",
    name: file,
    imageFolder,
    categories,
    images: read.map(({ size }, index) => ({ id: index + 1, ...size })),
    objects: toObjectTable(
      read.map(({ rows }) => rows),
      masks,
    ),
    maskCount: read.reduce((count, { rows }) => count + rows.filter(hasMask).length, 0),
    faults,
    objectName: (image, line) => `${(sorted[image] as YoloImage).labels} line ${line}`,
  };
}

/** Every file that `readYolo` reads, besides images. */
export async function yoloFiles(file: string, { images: given, split }: AnnotationSource): Promise<string[]> {
  const config = await readYoloConfig(file);
  const { images, lists } = await findYoloImages(config, split, given);
  return [file, config.namesFile ?? [], lists, images.map(({ labels }) => labels ?? [])].flat(2);
}

function inOrder(images: readonly YoloImage[], imageFolder: string, faults: FaultList): YoloImage[] {
  const nameOf = ({ path }: YoloImage): string => relativeName(imageFolder, path);
  return inNameOrder(images, nameOf, (image) => {
    faults.add("duplicate_file_name", `the image ${nameOf(image)} is listed twice`);
  });
}

async function readImage(
  { path, labels }: YoloImage,
  imageFolder: string,
  format: YoloLabelFormat,
  faults: FaultList,
): Promise<ReadImage> {
  const size = await readSize(path, relativeName(imageFolder, path), faults);
  if (size.width_px === 0 || labels === undefined) return { size, rows: [] };
  const text = await readTextFile(labels).catch((error: unknown) => {
    faults.add("invalid_record", CasslError.from(error).message);
    return "";
  });
  const parsed = parseYoloLabels(text, size.width_px, size.height_px, format);
  for (const fault of parsed.faults) faults.add("invalid_record", `${labels} ${fault}`);
  return { size, rows: parsed.rows };
}

function hasMask({ segmentation }: ObjectRow): boolean {
  return segmentation !== undefined;
}
