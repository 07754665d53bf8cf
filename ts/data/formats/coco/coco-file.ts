/** The records of a COCO file, each checked by itself, from the bytes of the file: its size does not matter. */
import { posix } from "node:path";
import type { Category } from "../../../core/dataset.js";
import { CasslError } from "../../../core/errors.js";
import { type ByteWindow, refill, withFile } from "../../../core/json/byte-window.js";
import {
  another,
  CLOSE_BRACE,
  CLOSE_BRACKET,
  enter,
  expectEnd,
  keyTable,
  OPEN_BRACE,
  OPEN_BRACKET,
  peek,
  readKey,
  skipValue,
  takeJson,
} from "../../../core/json/tokens.js";
import { isUri } from "../../../images/places.js";
import type { FaultList } from "../fault-list.js";
import { show } from "../show.js";
import type { SourceImage } from "../source-set.js";
import { type AnnotationReader, newReader, readAnnotation } from "./annotation-list.js";
import { type AnnotationRows, newRows } from "./annotation-rows.js";
import { type CocoImage, categoryFault, imageFault, isObject } from "./coco-records.js";
import { recordReader } from "./json-record.js";

export interface CocoRecords {
  readonly categories: readonly Category[];
  readonly images: readonly SourceImage[];
  readonly annotations: AnnotationRows;
  /** Ids of categories and images that are at fault otherwise, so that what refers to them is not. */
  readonly badIds: { readonly categories: ReadonlySet<number>; readonly images: ReadonlySet<number> };
  readonly maskCount: number;
}

const LISTS = ["categories", "images", "annotations"] as const;
const LIST_NAMES = keyTable(LISTS);
const takeCategory = recordReader(["id", "name"]);
/** By whether an image is named by its `coco_url`. */
const takeImage = {
  false: recordReader(["id", "file_name", "width", "height"]),
  true: recordReader(["id", "coco_url", "width", "height"]),
};
const BYTE_ORDER_MARK = [0xef, 0xbb, 0xbf];

interface Reader extends AnnotationReader {
  readonly categories: Category[];
  readonly images: SourceImage[];
  readonly byUrl: boolean;
  readonly badIds: { readonly categories: Set<number>; readonly images: Set<number> };
}

/**
 * FILE_NOT_FOUND if the file cannot be read; ANNOTATIONS_INVALID if it is not JSON, or lacks one of the three lists.
 * @param masks whether to keep the masks of annotations.
 * @param byUrl whether `coco_url` is to be taken for the file name.
 */
export function readCocoRecords(file: string, faults: FaultList, masks: boolean, byUrl: boolean): CocoRecords {
  return withFile(file, (window) => {
    const badIds = { categories: new Set<number>(), images: new Set<number>() };
    const reader: Reader = { ...newReader(window, newRows(masks), faults), categories: [], images: [], byUrl, badIds };
    readLists(reader);
    const { categories, images, rows, maskCount } = reader;
    return { categories, images, annotations: rows, badIds, maskCount };
  });
}

function readLists(reader: Reader): void {
  const { window } = reader;
  skipByteOrderMark(window);
  if (peek(window) !== OPEN_BRACE) {
    throw invalid(window, `holds ${show(takeJson(window))}, not an object with images, annotations and categories`);
  }
  const missing = new Set<string>(LISTS);
  for (let more = enter(window, OPEN_BRACE, CLOSE_BRACE); more; more = another(window, CLOSE_BRACE)) {
    const list = LISTS[readKey(window, LIST_NAMES)];
    if (list === undefined) skipValue(window);
    else readList(reader, list);
    missing.delete(list ?? "");
  }
  expectEnd(window);
  for (const list of missing) throw invalid(window, `\`${list}\` is undefined, not a list`);
}

function readList(reader: Reader, list: (typeof LISTS)[number]): void {
  const { window } = reader;
  if (peek(window) !== OPEN_BRACKET) throw invalid(window, `\`${list}\` is ${show(takeJson(window))}, not a list`);
  reader.position = 0;
  window.place = () => `, in \`${list}\` at position ${reader.position}`;
  const read = { categories: readCategory, images: readImage, annotations: readAnnotation }[list];
  for (let more = enter(window, OPEN_BRACKET, CLOSE_BRACKET); more; more = another(window, CLOSE_BRACKET)) read(reader);
  window.place = () => "";
}

function readCategory(reader: Reader): void {
  const record = soundRecord(reader, takeCategory(reader.window), categoryFault, reader.badIds.categories);
  if (record !== undefined) reader.categories.push(record as Category);
}

function readImage(reader: Reader): void {
  const named = nameByUrl(takeImage[`${reader.byUrl}`](reader.window));
  const record = soundRecord(reader, named, imageFault, reader.badIds.images);
  if (record === undefined) return;
  const { id, file_name, width, height } = record as CocoImage;
  reader.images.push({
    id,
    file_name: isUri(file_name) ? file_name : posix.normalize(file_name),
    width_px: width,
    height_px: height,
  });
}

/** Its URL as the file name, if that was read. */
function nameByUrl(record: unknown): unknown {
  return isObject(record) && "coco_url" in record ? { ...record, file_name: record["coco_url"] } : record;
}

/** The record; undefined if it is at fault, and is listed. */
function soundRecord(
  reader: Reader,
  record: unknown,
  faultOf: (record: unknown, position: number) => string | undefined,
  badIds: Set<number>,
): unknown {
  const fault = faultOf(record, reader.position++);
  if (fault === undefined) return record;
  reader.faults.add("invalid_record", fault);
  const id = isObject(record) ? record["id"] : undefined;
  if (typeof id === "number") badIds.add(id);
  return undefined;
}

function skipByteOrderMark(window: ByteWindow): void {
  refill(window);
  if (BYTE_ORDER_MARK.every((byte, index) => window.bytes[index] === byte)) window.position += BYTE_ORDER_MARK.length;
}

function invalid({ source }: ByteWindow, fault: string): CasslError {
  return new CasslError("ANNOTATIONS_INVALID", `${source.name}: ${fault}.`, "Correct the annotations.");
}
