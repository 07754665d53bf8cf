/** COCO files to columns, straight from their bytes: neither the text nor an object for each record is ever held. */
import { CasslError } from "../../../core/errors.js";
import { type ByteWindow, withFile } from "../../../core/json/byte-window.js";
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
import { annotationFields, type Columns, type ImageColumns, imageFields, resultFields } from "./fields.js";
import { readRecords } from "./json-records.js";
import { columnsInMemory } from "./memory.js";
import { newSegmentationBytes, type SegmentationBytes, segmentationsInBytes } from "./segmentation-bytes.js";
import { noSegmentations, type Segmentations } from "./segmentations.js";

export interface GroundTruthFile {
  readonly images: ImageColumns;
  /** Parsed JSON of the images, if it is wanted. */
  readonly imageRecords: readonly unknown[];
  readonly annotations: Columns<typeof annotationFields>;
  readonly segmentations: Segmentations;
  /** Parsed JSON. */
  readonly categories: readonly unknown[];
}

export interface GroundTruthWanted {
  /** Whether to read masks and sizes of images, which are absent otherwise. */
  readonly withMasks: boolean;
  /** Whether to hold an object for each image. */
  readonly withImageRecords: boolean;
}

export const lists = ["images", "annotations", "categories"] as const;
const listNames = keyTable(lists);

/** FILE_NOT_FOUND if there is no such file, ANNOTATIONS_INVALID if it is not ground truth. */
export function readGroundTruthFile(file: string, { withMasks, withImageRecords }: GroundTruthWanted): GroundTruthFile {
  const read = (window: ByteWindow): GroundTruthFile => {
    const kept = withMasks ? newSegmentationBytes(window) : undefined;
    const content: Partial<GroundTruthFile> = {};
    if (peek(window) !== OPEN_BRACE) throw lacksList(file, "images");
    for (let more = enter(window, OPEN_BRACE, CLOSE_BRACE); more; more = another(window, CLOSE_BRACE)) {
      const list = lists[readKey(window, listNames)];
      if (list === undefined) skipValue(window);
      else if (list === "images" && withImageRecords) Object.assign(content, readImageRecords(window, file, withMasks));
      else Object.assign(content, { [list]: readList(window, list, file, kept) });
    }
    expectEnd(window);
    for (const list of lists) if (!content[list]) throw lacksList(file, list);
    return { imageRecords: [], ...content, segmentations: segmentationsOf(kept) } as GroundTruthFile;
  };
  return withFile(file, read, withMasks);
}

function readImageRecords(
  window: ByteWindow,
  file: string,
  withMasks: boolean,
): Pick<GroundTruthFile, "images" | "imageRecords"> {
  if (peek(window) !== OPEN_BRACKET) throw lacksList(file, "images");
  const imageRecords = takeJson(window) as readonly unknown[];
  return { images: columnsInMemory(imageRecords, imageFields(withMasks), { record: "image", file }), imageRecords };
}

function readList(
  window: ByteWindow,
  list: (typeof lists)[number],
  file: string,
  kept: SegmentationBytes | undefined,
): unknown {
  if (peek(window) !== OPEN_BRACKET) throw lacksList(file, list);
  if (list === "categories") return takeJson(window);
  if (list === "annotations") return readRecords(window, annotationFields, { record: "annotation", file }, kept);
  return readRecords(window, imageFields(kept !== undefined), { record: "image", file });
}

export interface ResultsFile {
  readonly columns: Columns<typeof resultFields>;
  readonly segmentations: Segmentations;
}

/**
 * FILE_NOT_FOUND if there is no such file, ANNOTATIONS_INVALID if it is not a list of results.
 * @param withMasks whether to read masks, which are absent otherwise unless the first result has no box.
 */
export function readResultsFile(file: string, withMasks: boolean): ResultsFile {
  const keepsMasks = withMasks || !firstHasBox(file);
  const read = (window: ByteWindow): ResultsFile => {
    const kept = keepsMasks ? newSegmentationBytes(window) : undefined;
    expectList(window, file);
    const columns = readRecords(window, resultFields, { record: "result", file }, kept);
    expectEnd(window);
    return { columns, segmentations: segmentationsOf(kept) };
  };
  return withFile(file, read, keepsMasks);
}

const boxName = keyTable(["bbox"]);

/** True also where there is no first result to say. */
function firstHasBox(file: string): boolean {
  return withFile(file, (window) => {
    window.place = () => ", in the result at position 0";
    expectList(window, file);
    if (!enter(window, OPEN_BRACKET, CLOSE_BRACKET) || peek(window) !== OPEN_BRACE) return true;
    for (let more = enter(window, OPEN_BRACE, CLOSE_BRACE); more; more = another(window, CLOSE_BRACE)) {
      const isBox = readKey(window, boxName) === 0;
      if (isBox) return peek(window) !== OPEN_BRACKET || enter(window, OPEN_BRACKET, CLOSE_BRACKET);
      skipValue(window);
    }
    return false;
  });
}

function expectList(window: ByteWindow, file: string): void {
  if (peek(window) !== OPEN_BRACKET) throw notResults(file);
}

function segmentationsOf(kept: SegmentationBytes | undefined): Segmentations {
  return kept ? segmentationsInBytes(kept) : noSegmentations;
}

export function lacksList(file: string, list: string): CasslError {
  return notCoco(`${file} has no list \`${list}\`.`);
}

export function notResults(file: string): CasslError {
  return notCoco(`${file} is not a list of results.`);
}

function notCoco(message: string): CasslError {
  return new CasslError("ANNOTATIONS_INVALID", message, "Give a file in COCO format.");
}
