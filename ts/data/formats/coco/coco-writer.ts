/** Writes COCO JSON. */
import { join } from "node:path";
import type { Category } from "../../../core/dataset.js";
import type { AnnotatedSet, ListedImage, ListedObject } from "../source-set.js";
import { writePieces } from "../text-writer.js";

export const ANNOTATION_FILE = "annotations.json";

/** Category and image ids are kept; annotations are numbered from 1. */
export async function writeCoco(set: AnnotatedSet, folder: string): Promise<void> {
  await writePieces(join(folder, ANNOTATION_FILE), cocoText(set));
}

function* cocoText({ categories, images }: AnnotatedSet): Generator<string> {
  yield '{"images":[';
  yield* separated(mapped(images, imageText));
  yield '],"annotations":[';
  yield* separated(annotationTexts(images, categories));
  yield '],"categories":[';
  yield* separated(mapped(categories, ({ id, name }) => JSON.stringify({ id, name })));
  yield "]}\n";
}

function* mapped<T>(items: readonly T[], toText: (item: T) => string): Generator<string> {
  for (const item of items) yield toText(item);
}

function* separated(texts: Iterable<string>): Generator<string> {
  let separator = "\n";
  for (const text of texts) {
    yield separator + text;
    separator = ",\n";
  }
}

function* annotationTexts(images: AnnotatedSet["images"], categories: AnnotatedSet["categories"]): Generator<string> {
  let id = 0;
  for (const image of images) {
    for (const object of image.annotations) {
      yield annotationText(++id, image, categories[object.class_index] as Category, object);
    }
  }
}

function imageText({ id, file_name, width_px, height_px }: ListedImage): string {
  return JSON.stringify({ id, file_name, width: width_px, height: height_px });
}

function annotationText(id: number, image: ListedImage, { id: category_id }: Category, object: ListedObject): string {
  const { box_xywh, area, iscrowd, score } = object;
  const values = { id, image_id: image.id, category_id, bbox: box_xywh, area, iscrowd: Number(iscrowd), score };
  const [record, segmentation] = [JSON.stringify(values), segmentationText(object, image)];
  return segmentation === undefined ? record : `${record.slice(0, -1)},"segmentation":${segmentation}}`;
}

/** As it was read, or of the mask. */
function segmentationText(
  { segmentation, mask }: ListedObject,
  { width_px, height_px }: ListedImage,
): string | undefined {
  return segmentation ?? (mask && JSON.stringify({ size: [height_px, width_px], counts: mask }));
}
