/** The records of a COCO file, each checked by itself. */
import { posix } from "node:path";
import type { Category } from "../../../core/dataset.js";
import { CasslError } from "../../../core/errors.js";
import { readJsonFile } from "../../json-file.js";
import type { FaultList } from "../fault-list.js";
import { show } from "../show.js";
import type { SourceImage } from "../source-set.js";
import type { AnnotationCollector } from "./annotation-rows.js";
import {
  annotationFault,
  type CocoAnnotation,
  type CocoImage,
  categoryFault,
  imageFault,
  isObject,
} from "./coco-records.js";

/** What a file holds besides its annotations. */
export interface CocoRecords {
  readonly categories: readonly Category[];
  readonly images: readonly SourceImage[];
  /** Also of records that are at fault otherwise. */
  readonly categoryIds: ReadonlySet<number>;
  readonly imageIds: ReadonlySet<number>;
  readonly maskCount: number;
}

const LISTS = ["categories", "images", "annotations"] as const;

/** FILE_NOT_FOUND if the file cannot be read; ANNOTATIONS_INVALID if it is not JSON, or lacks one of the three lists. */
export async function readCocoRecords(
  file: string,
  faults: FaultList,
  annotations: AnnotationCollector,
): Promise<CocoRecords> {
  const lists = listsOf(file, await readJsonFile(file));
  const categories: Category[] = [];
  const images: SourceImage[] = [];
  let maskCount = 0;
  for (const [position, record] of lists.categories.entries()) {
    const fault = categoryFault(record, position);
    if (fault === undefined) categories.push(toCategory(record as Category));
    else faults.add("invalid_record", fault);
  }
  for (const [position, record] of lists.images.entries()) {
    const fault = imageFault(record, position);
    if (fault === undefined) images.push(toImage(record as CocoImage));
    else faults.add("invalid_record", fault);
  }
  for (const [position, record] of lists.annotations.entries()) {
    const fault = annotationFault(record, position);
    if (fault !== undefined) {
      faults.add("invalid_record", fault);
      continue;
    }
    const { segmentation } = record as CocoAnnotation;
    const mask = hasMask(segmentation) ? JSON.stringify(segmentation) : undefined;
    if (mask !== undefined) maskCount++;
    annotations.add(record as CocoAnnotation, mask);
  }
  return { categories, images, categoryIds: idsOf(lists.categories), imageIds: idsOf(lists.images), maskCount };
}

function listsOf(file: string, document: unknown): Record<(typeof LISTS)[number], unknown[]> {
  const invalid = (fault: string): CasslError =>
    new CasslError("ANNOTATIONS_INVALID", `${file}: ${fault}.`, "Correct the annotations.");
  if (!isObject(document)) {
    throw invalid(`holds ${show(document)}, not an object with images, annotations and categories`);
  }
  const missing = LISTS.find((key) => !Array.isArray(document[key]));
  if (missing !== undefined) throw invalid(`\`${missing}\` is ${show(document[missing])}, not a list`);
  return document as Record<(typeof LISTS)[number], unknown[]>;
}

function idsOf(records: readonly unknown[]): Set<number> {
  return new Set(
    records.flatMap((record) => (isObject(record) && typeof record["id"] === "number" ? record["id"] : [])),
  );
}

function toCategory({ id, name }: Category): Category {
  return { id, name };
}

function toImage({ id, file_name, width, height }: CocoImage): SourceImage {
  return { id, file_name: posix.normalize(file_name), width_px: width, height_px: height };
}

function hasMask(segmentation: unknown): boolean {
  return (
    segmentation !== undefined && segmentation !== null && !(Array.isArray(segmentation) && segmentation.length === 0)
  );
}
