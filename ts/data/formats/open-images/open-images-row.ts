/** A row of the boxes of Open Images. */
import { CasslError } from "../../../core/errors.js";
import { leadsOut } from "../image-folder.js";
import { parseNumber } from "../numbers.js";
import { cut, show } from "../show.js";
import type { CsvRow } from "./csv.js";

export interface OpenImagesBox {
  readonly line: number;
  /** With or without the extension of the image. */
  readonly imageId: string;
  readonly label: string;
  /** Shares of width and height. */
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
  /** More than five objects that hide each other: a crowd in the words of COCO. */
  readonly isGroup: boolean;
}

const COLUMNS = ["ImageID", "LabelName", "XMin", "XMax", "YMin", "YMax"] as const;
const GROUP_COLUMN = "IsGroupOf";

/**
 * Makes boxes of rows, or says what is wrong with a row.
 * ANNOTATIONS_INVALID if the head lacks a column.
 */
export function createRowParser(file: string, head: readonly string[]): (row: CsvRow) => OpenImagesBox | string {
  const missing = COLUMNS.filter((column) => !head.includes(column));
  if (missing.length > 0) {
    const message = `${file} lacks the columns ${missing.join(", ")}; its first line is ${cut(head.join(","))}.`;
    throw new CasslError(
      "ANNOTATIONS_INVALID",
      message,
      "Give a CSV with the columns of Open Images in its first line.",
    );
  }
  const [imageId, label, ...sides] = COLUMNS.map((column) => head.indexOf(column)) as [number, number, ...number[]];
  const group = head.indexOf(GROUP_COLUMN);
  return ({ line, fields }) => {
    if (fields.length !== head.length) return `line ${line} has ${fields.length} fields, not ${head.length}`;
    const id = fields[imageId] as string;
    if (id === "" || leadsOut(id)) return `line ${line} has the ImageID ${show(id)}, which names no image`;
    if (fields[label] === "") return `line ${line} has no LabelName`;
    const shares = sides.map((column) => parseShare(fields[column] as string));
    const bad = shares.indexOf(undefined);
    if (bad >= 0) return `line ${line} has the ${COLUMNS[bad + 2]} ${show(fields[sides[bad] as number])}, not a number`;
    const [left, right, top, bottom] = shares as [number, number, number, number];
    return {
      line,
      imageId: id,
      label: fields[label] as string,
      left,
      right,
      top,
      bottom,
      isGroup: fields[group] === "1",
    };
  };
}

/** Spreadsheets of half the world write a comma for the point. */
function parseShare(text: string): number | undefined {
  return parseNumber(text.replace(/^(\d+),(\d+)$/, "$1.$2"));
}
