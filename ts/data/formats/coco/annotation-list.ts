/** Reads the annotations of a COCO file from its bytes to rows of numbers, without an object for each. */
import type { ByteWindow } from "../../../core/json/byte-window.js";
import { isNumberStart, readNumber } from "../../../core/json/number.js";
import { type Pattern, patternOf, readAlike, type Span } from "../../../core/json/pattern.js";
import {
  another,
  CLOSE_BRACE,
  CLOSE_BRACKET,
  enter,
  keyTable,
  OPEN_BRACE,
  OPEN_BRACKET,
  peek,
  readKey,
  skipValue,
  takeText,
} from "../../../core/json/tokens.js";
import type { FaultList } from "../fault-list.js";
import { type AnnotationRows, ROW, ROW_WIDTH, reserveRow } from "./annotation-rows.js";
import { annotationFault } from "./coco-records.js";
import { takeValue } from "./json-record.js";

const FIELDS = ["id", "image_id", "category_id", "bbox", "area", "iscrowd", "segmentation"] as const;
const NAMES = keyTable(FIELDS);
const BOX = FIELDS.indexOf("bbox");
const MASK = FIELDS.indexOf("segmentation");
/** Where the numbers of a field are in a row. */
const PLACES = FIELDS.slice(0, MASK).map((field) => ROW[field as keyof typeof ROW]);
/** Bits of the first four, which a record must have. */
const REQUIRED = 0b1111;

/** While fewer records than these are unlike the one before, it pays to compare. */
const MOST_UNLIKE = 1000;
const MOST_UNLIKE_SHARE = 0.1;

export interface AnnotationReader {
  readonly window: ByteWindow;
  readonly rows: AnnotationRows;
  readonly faults: FaultList;
  /** Records read, with those at fault. */
  position: number;
  maskCount: number;
  /** How a record was written, and which fields it had: most are written alike. */
  form: { readonly pattern: Pattern; readonly seen: number } | undefined;
  /** Records that were not. */
  unlike: number;
}

export function newReader(window: ByteWindow, rows: AnnotationRows, faults: FaultList): AnnotationReader {
  return { window, rows, faults, position: 0, maskCount: 0, form: undefined, unlike: 0 };
}

/** Values that are not what they mostly are, by field: they decide whether the record is at fault. */
type OddValues = Readonly<Record<string, unknown>>;

/** Reads the record at the window's position to the next row. One at fault is listed, and takes no row. */
export function readAnnotation(reader: AnnotationReader): void {
  const { rows, faults, position } = reader;
  reserveRow(rows, () => expectedRows(reader));
  const fault = readRecord(reader);
  if (fault === undefined) rows.count++;
  else faults.add("invalid_record", fault);
  reader.position = position + 1;
}

/** As many as the source has if the rest of it is like what is read. */
function expectedRows({ rows, window: { source, offset, position } }: AnnotationReader): number {
  return (1.02 * rows.count * source.size) / (offset + position);
}

/** Reads a record that is written like the one before, or any other. Returns what is wrong with it, if anything is. */
function readRecord(reader: AnnotationReader): string | undefined {
  const { window, rows, form } = reader;
  const at = ROW_WIDTH * rows.count;
  rows.values[at + ROW.area] = Number.NaN;
  rows.values[at + ROW.iscrowd] = 0;
  if (rows.segmentations !== undefined) rows.segmentations[rows.count] = undefined;
  if (form !== undefined && readAlike(window, form.pattern, [rows.values], rows.count)) {
    return judge(rows.values, at, form.seen, undefined, reader.position);
  }
  const { offset, position } = window;
  if (peek(window) !== OPEN_BRACE) return annotationFault(takeValue(window), reader.position);
  const mayPay = reader.unlike < MOST_UNLIKE + MOST_UNLIKE_SHARE * reader.position;
  const spans: Span[] | undefined = mayPay ? [] : undefined;
  const { seen, odd, hasMask } = readMembers(reader, at, spans);
  // A record that the window's end has cut may well be alike.
  if (window.offset === offset) {
    const isPlain = odd === undefined && !hasMask;
    reader.form = isPlain && spans !== undefined ? { pattern: patternOf(window, position, spans), seen } : undefined;
    reader.unlike++;
  }
  const fault = judge(rows.values, at, seen, odd, reader.position);
  if (fault === undefined && hasMask) reader.maskCount++;
  return fault;
}

interface Members {
  /** Bits of the fields that are there. */
  readonly seen: number;
  readonly odd: OddValues | undefined;
  readonly hasMask: boolean;
}

/** @param spans takes where numbers stand. */
function readMembers({ window, rows }: AnnotationReader, at: number, spans: Span[] | undefined): Members {
  let seen = 0;
  let odd: OddValues | undefined;
  let hasMask = false;
  for (let more = enter(window, OPEN_BRACE, CLOSE_BRACE); more; more = another(window, CLOSE_BRACE)) {
    const key = readKey(window, NAMES);
    if (key < 0) skipValue(window);
    else if (key === MASK) hasMask = readMask(window, rows);
    else {
      const value = readField(window, key, rows.values, at, spans);
      if (value !== undefined) odd = { ...odd, [FIELDS[key] as string]: value };
      seen |= 1 << key;
    }
  }
  return { seen, odd, hasMask };
}

/** Reads what is mostly there, numbers, to their place in the row. Returns any other value. */
function readField(
  window: ByteWindow,
  key: number,
  values: Float64Array,
  at: number,
  spans: Span[] | undefined,
): unknown {
  const place = PLACES[key] as number;
  return key === BOX ? readBox(window, values, at, spans) : readElement(window, values, at, place, spans);
}

function readElement(
  window: ByteWindow,
  values: Float64Array,
  at: number,
  place: number,
  spans: Span[] | undefined,
): unknown {
  if (!isNumberStart(peek(window))) return takeValue(window);
  const start = window.position;
  readNumber(window, values, at + place);
  spans?.push({ start, end: window.position, target: { column: 0, width: ROW_WIDTH, element: place } });
  return undefined;
}

/** Four numbers go to their places; anything else is returned. */
function readBox(window: ByteWindow, values: Float64Array, at: number, spans: Span[] | undefined): unknown {
  if (peek(window) !== OPEN_BRACKET) return takeValue(window);
  const box = at + ROW.bbox;
  let count = 0;
  let items: unknown[] | undefined;
  for (let more = enter(window, OPEN_BRACKET, CLOSE_BRACKET); more; more = another(window, CLOSE_BRACKET)) {
    const odd = count < 4 ? readElement(window, values, at, ROW.bbox + count, spans) : takeValue(window);
    if (odd !== undefined) items ??= [...values.subarray(box, box + count)];
    items?.push(odd ?? values[box + count]);
    count++;
  }
  return count === 4 ? items : (items ?? [...values.subarray(box, box + count)]);
}

/** Keeps the mask of the next row, if masks are kept. Returns whether there is one: an empty list is none. */
function readMask(window: ByteWindow, { count, segmentations }: AnnotationRows): boolean {
  const isList = peek(window) === OPEN_BRACKET;
  if (segmentations === undefined && isList) return passList(window);
  const text = takeText(window);
  const isMask = !/^(?:null|\[\s*\])$/.test(text);
  if (segmentations !== undefined) segmentations[count] = isMask ? text : undefined;
  return isMask;
}

/** Whether the list at the window's position has any items. */
function passList(window: ByteWindow): boolean {
  if (!enter(window, OPEN_BRACKET, CLOSE_BRACKET)) return false;
  do skipValue(window);
  while (another(window, CLOSE_BRACKET));
  return true;
}

/** Whether numbers that stand where they should are those of a sound record. */
function isSound(row: Float64Array, at: number): boolean {
  for (let place = at; place < at + ROW.bbox; place++) if (!Number.isSafeInteger(row[place])) return false;
  for (let place = at + ROW.bbox; place < at + ROW.area; place++) if (!Number.isFinite(row[place])) return false;
  const area = row[at + ROW.area] as number;
  const iscrowd = row[at + ROW.iscrowd];
  return (Number.isNaN(area) || (area >= 0 && area < Infinity)) && (iscrowd === 0 || iscrowd === 1);
}

/** What is wrong with a record, if anything is. @param seen bits of the fields that it has. */
function judge(
  values: Float64Array,
  at: number,
  seen: number,
  odd: OddValues | undefined,
  position: number,
): string | undefined {
  if (odd === undefined && (seen & REQUIRED) === REQUIRED && isSound(values, at)) return undefined;
  const record: Record<string, unknown> = {};
  for (const [key, place] of PLACES.entries()) {
    const [first, ...rest] = values.subarray(at + place, at + place + (key === BOX ? 4 : 1));
    if ((seen & (1 << key)) !== 0) record[FIELDS[key] as string] = key === BOX ? [first, ...rest] : first;
  }
  const fault = annotationFault({ ...record, ...odd }, position);
  if (odd?.["iscrowd"] !== undefined) values[at + ROW.iscrowd] = Number(odd["iscrowd"]);
  return fault;
}
