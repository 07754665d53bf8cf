/** COCO files to columns, straight from their bytes: neither the text nor an object for each record is ever held. */
import { CasslError } from "../../../core/errors.js";
import { type ByteWindow, withFile } from "../../../core/json/byte-window.js";
import {
  another,
  CLOSE_BRACE,
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
import { annotationFields, type Columns, idFields, resultFields } from "./fields.js";
import { readRecords } from "./json-records.js";

export interface GroundTruthFile {
  readonly images: Columns<typeof idFields>;
  readonly annotations: Columns<typeof annotationFields>;
  /** Parsed JSON. */
  readonly categories: readonly unknown[];
}

const lists = ["images", "annotations", "categories"] as const;
const listNames = keyTable(lists);

/** FILE_NOT_FOUND if there is no such file, ANNOTATIONS_INVALID if it is not ground truth. */
export function readGroundTruthFile(file: string): GroundTruthFile {
  return withFile(file, (window) => {
    const content: Partial<GroundTruthFile> = {};
    if (peek(window) !== OPEN_BRACE) throw lacksList(file, "images");
    for (let more = enter(window, OPEN_BRACE, CLOSE_BRACE); more; more = another(window, CLOSE_BRACE)) {
      const list = lists[readKey(window, listNames)];
      if (list === undefined) skipValue(window);
      else Object.assign(content, { [list]: readList(window, list, file) });
    }
    expectEnd(window);
    for (const list of lists) if (!content[list]) throw lacksList(file, list);
    return content as GroundTruthFile;
  });
}

function readList(window: ByteWindow, list: (typeof lists)[number], file: string): unknown {
  if (peek(window) !== OPEN_BRACKET) throw lacksList(file, list);
  if (list === "images") return readRecords(window, idFields, { record: "image", file });
  if (list === "annotations") return readRecords(window, annotationFields, { record: "annotation", file });
  return takeJson(window);
}

/** FILE_NOT_FOUND if there is no such file, ANNOTATIONS_INVALID if it is not a list of results. */
export function readResultsFile(file: string): Columns<typeof resultFields> {
  return withFile(file, (window) => {
    if (peek(window) !== OPEN_BRACKET) throw notCoco(`${file} is not a list of results.`);
    const results = readRecords(window, resultFields, { record: "result", file });
    expectEnd(window);
    return results;
  });
}

function lacksList(file: string, list: string): CasslError {
  return notCoco(`${file} has no list \`${list}\`.`);
}

function notCoco(message: string): CasslError {
  return new CasslError("ANNOTATIONS_INVALID", message, "Give a file in COCO format.");
}
