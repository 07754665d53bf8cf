/** Reads COCO annotation files (boxes; masks are passed over), and refuses whatever contradicts itself. */
import { posix } from "node:path";
import type { BoxXywh } from "../core/boxes.js";
import type { Annotation, Category, DatasetImage } from "../core/dataset.js";
import { type BadBoxes, type BoxCounts, type FittedBox, fitBox } from "./box-policy.js";
import {
  annotationFault,
  type CocoAnnotation,
  type CocoFile,
  type CocoImage,
  categoryFault,
  imageFault,
  isObject,
  show,
} from "./coco-records.js";
import { failOnFaults } from "./faults.js";
import { readJsonFile } from "./json-file.js";

/** An image as the annotation file tells of it: nobody has looked at the image itself. */
export type ListedImage = Omit<DatasetImage, "sha256">;

export interface CocoSet {
  /** Ascending by id: the position is the class index. */
  readonly categories: readonly Category[];
  /** Ascending by id; the annotations of an image in the order of the file. */
  readonly images: readonly ListedImage[];
  readonly boxes: BoxCounts;
}

/**
 * FILE_NOT_FOUND if the file cannot be read.
 * ANNOTATIONS_INVALID with the first offending records if it is not a whole COCO file, or contradicts itself.
 */
export async function readCoco(file: string, badBoxes: BadBoxes): Promise<CocoSet> {
  return parseCoco(await readJsonFile(file), file, badBoxes);
}

/** @param file the name to use in messages. */
export function parseCoco(document: unknown, file: string, badBoxes: BadBoxes): CocoSet {
  const refuse = (faults: readonly string[], remedy = "Correct the annotation file."): void => {
    failOnFaults("ANNOTATIONS_INVALID", file, faults, remedy);
  };
  const coco = checkRecords(document, refuse);
  refuse(contradictions(coco));
  const fitted = fitBoxes(coco, badBoxes);
  refuse(fitted.flatMap(boxFault), "Correct the boxes, or set `data.bad_boxes` to clip or drop them.");

  const count = (outcome: FittedBox["outcome"]): number => fitted.filter(({ fit }) => fit.outcome === outcome).length;
  const categories = coco.categories.map(({ id, name }) => ({ id, name })).sort((a, b) => a.id - b.id);
  return {
    categories,
    images: listImages(coco.images, fitted, categories),
    boxes: { rounded: count("rounded"), clipped: count("clipped"), dropped: count("dropped") },
  };
}

function checkRecords(document: unknown, refuse: (faults: readonly string[]) => void): CocoFile {
  if (!isObject(document)) refuse([`holds ${show(document)}, not an object with images, annotations and categories`]);
  const coco = document as Record<keyof CocoFile, unknown[]>;
  const keys = ["categories", "images", "annotations"] as const;
  refuse(keys.flatMap((key) => (Array.isArray(coco[key]) ? [] : [`\`${key}\` is ${show(coco[key])}, not a list`])));
  const faults = { categories: categoryFault, images: imageFault, annotations: annotationFault };
  refuse(keys.flatMap((key) => coco[key].flatMap((record, position) => faults[key](record, position) ?? [])));
  return coco as unknown as CocoFile;
}

/** What is wrong with the records together: ids and file names that are taken, references that lead nowhere. */
function contradictions({ images, annotations, categories }: CocoFile): string[] {
  const imageIds = new Set(images.map(({ id }) => id));
  const categoryIds = new Set(categories.map(({ id }) => id));
  return [
    ...repeated(
      categories,
      ({ id }) => id,
      ({ id, name }, first) => `duplicate category id ${id}: ${first.name} and ${name}`,
    ),
    ...repeated(
      images,
      ({ id }) => id,
      ({ id, file_name }, first) => `duplicate image id ${id}: ${first.file_name} and ${file_name}`,
    ),
    ...repeated(
      images,
      fileNameOf,
      ({ id, file_name }, first) => `duplicate file_name ${file_name}: images ${first.id} and ${id}`,
    ),
    ...repeated(
      annotations,
      ({ id }) => id,
      ({ id }) => `duplicate annotation id ${id}`,
    ),
    ...annotations.flatMap(({ id, image_id, category_id }) => [
      ...(imageIds.has(image_id) ? [] : [`annotation ${id} has the image_id ${image_id}, which no image has`]),
      ...(categoryIds.has(category_id)
        ? []
        : [`annotation ${id} has the category_id ${category_id}, which no category has`]),
    ]),
  ];
}

/** Describes every record whose key an earlier record has. */
function repeated<T>(
  records: readonly T[],
  keyOf: (record: T) => unknown,
  describe: (record: T, first: T) => string,
): string[] {
  const firsts = new Map<unknown, T>();
  return records.flatMap((record) => {
    const key = keyOf(record);
    const first = firsts.get(key);
    if (first !== undefined) return [describe(record, first)];
    firsts.set(key, record);
    return [];
  });
}

interface FittedAnnotation {
  readonly image: CocoImage;
  readonly annotation: CocoAnnotation;
  readonly fit: FittedBox;
}

function fitBoxes({ images, annotations }: CocoFile, badBoxes: BadBoxes): FittedAnnotation[] {
  const byId = new Map(images.map((image) => [image.id, image]));
  return annotations.map((annotation) => {
    const image = byId.get(annotation.image_id) as CocoImage;
    return { image, annotation, fit: fitBox(annotation.bbox, image.width, image.height, badBoxes) };
  });
}

function boxFault({ image, annotation, fit }: FittedAnnotation): string[] {
  if (fit.outcome !== "refused") return [];
  const { file_name, width, height } = image;
  return [
    `annotation ${annotation.id}: the box ${show(annotation.bbox)} ${fit.fault} (${file_name}, ${width} x ${height} px)`,
  ];
}

function listImages(
  images: readonly CocoImage[],
  fitted: readonly FittedAnnotation[],
  categories: readonly Category[],
): ListedImage[] {
  const classIndices = new Map(categories.map(({ id }, index) => [id, index]));
  const annotations = new Map(images.map(({ id }): [number, Annotation[]] => [id, []]));
  for (const { image, annotation, fit } of fitted) {
    if (!("box" in fit)) continue;
    const class_index = classIndices.get(annotation.category_id) as number;
    annotations.get(image.id)?.push({
      box_xywh: fit.box,
      class_index,
      area: areaOf(annotation, fit.box),
      iscrowd: Boolean(annotation.iscrowd),
    });
  }
  return images
    .map(({ id, file_name, width, height }) => ({
      id,
      file_name: posix.normalize(file_name),
      width_px: width,
      height_px: height,
      annotations: annotations.get(id) as Annotation[],
    }))
    .sort((a, b) => a.id - b.id);
}

/** An object is no larger than its box, which may have been clipped. */
function areaOf({ area, bbox }: CocoAnnotation, box: BoxXywh): number {
  const boxArea = box[2] * box[3];
  return area === undefined ? boxArea : box === bbox ? area : Math.min(area, boxArea);
}

function fileNameOf({ file_name }: CocoImage): string {
  return posix.normalize(file_name);
}
