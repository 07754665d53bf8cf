/** The lines of a YOLO label file: `class x y width height`, or `class x y x y x y ...` for a polygon, as shares of the image. */
import type { BoxXywh } from "../../../core/boxes.js";
import { parseNumber, snapPx } from "../numbers.js";
import type { ObjectRow } from "../object-table.js";
import { cut } from "../show.js";
import { textLines } from "../text-file.js";

export interface YoloLabelFormat {
  /** Class indices by the class numbers that lines start with. */
  readonly classIndices: ReadonlyMap<number, number>;
  readonly hasKeypoints: boolean;
}

export interface YoloLabels {
  /** `sourceId` is the number of the line. */
  readonly rows: readonly ObjectRow[];
  readonly faults: readonly string[];
}

const BOX_VALUES = 4;
const LEAST_POLYGON_VALUES = 6;

/** @param widthPx of the image whose labels these are. */
export function parseYoloLabels(text: string, widthPx: number, heightPx: number, format: YoloLabelFormat): YoloLabels {
  const rows: ObjectRow[] = [];
  const faults: string[] = [];
  for (const { number, line } of textLines(text)) {
    const parsed = parseLine(line, widthPx, heightPx, format);
    if (typeof parsed === "string") faults.push(`line ${number}: ${parsed}`);
    else rows.push({ ...parsed, iscrowd: false, sourceId: number });
  }
  return { rows, faults };
}

type Shape = Pick<ObjectRow, "classIndex" | "box" | "segmentation">;

/** The object of a line, or what is wrong with the line. */
function parseLine(line: string, widthPx: number, heightPx: number, format: YoloLabelFormat): Shape | string {
  const [first, ...rest] = line.split(/\s+/);
  const classNumber = parseNumber(first as string);
  if (classNumber === undefined) return `it starts with ${cut(JSON.stringify(first))}, not with a class number`;
  const classIndex = format.classIndices.get(classNumber);
  if (classIndex === undefined) return `no name is given for class ${first}`;
  const values = rest.map(parseNumber);
  const bad = values.indexOf(undefined);
  if (bad >= 0) return `${cut(JSON.stringify(rest[bad]))} is not a number`;
  const shares = values as number[];
  if (shares.length === BOX_VALUES || (format.hasKeypoints && shares.length > BOX_VALUES)) {
    return { classIndex, box: boxOf(shares, widthPx, heightPx) };
  }
  if (shares.length < LEAST_POLYGON_VALUES || shares.length % 2 === 1) {
    return `it holds ${shares.length} values after the class, neither a box (4) nor a polygon (6, 8, ...)`;
  }
  const polygon = shares.map((share, index) => snapPx(share * (index % 2 === 0 ? widthPx : heightPx)));
  return { classIndex, box: boxAround(polygon), segmentation: JSON.stringify([polygon]) };
}

/** @param shares centre x, centre y, width, height. */
function boxOf(shares: readonly number[], widthPx: number, heightPx: number): BoxXywh {
  const [x, y, width, height] = shares as [number, number, number, number];
  const widthOfBox = snapPx(width * widthPx);
  const heightOfBox = snapPx(height * heightPx);
  return [snapPx((x - width / 2) * widthPx), snapPx((y - height / 2) * heightPx), widthOfBox, heightOfBox];
}

/** @param polygon x, y, x, y, ... */
function boxAround(polygon: readonly number[]): BoxXywh {
  let [left, top, right, bottom] = [Infinity, Infinity, -Infinity, -Infinity];
  for (let at = 0; at < polygon.length; at += 2) {
    const [x, y] = [polygon[at] as number, polygon[at + 1] as number];
    [left, right] = [Math.min(left, x), Math.max(right, x)];
    [top, bottom] = [Math.min(top, y), Math.max(bottom, y)];
  }
  return [left, top, snapPx(right - left), snapPx(bottom - top)];
}
