/** Lists of JSON objects to columns. */
import type { ByteWindow } from "../../../core/json/byte-window.js";
import { isNumberStart, readNumber } from "../../../core/json/number.js";
import { type Pattern, patternOf, readAlike, type Span } from "../../../core/json/pattern.js";
import { QUOTE } from "../../../core/json/string.js";
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
  readLiteral,
  skipValue,
  takeText,
} from "../../../core/json/tokens.js";
import { type Columns, type Field, invalidValue, notAnObject, type Source } from "./fields.js";
import { keepSegmentation, type SegmentationBytes } from "./segmentation-bytes.js";
import { columnsOf, newTable, reserve, type Table } from "./table.js";

interface Reader {
  readonly window: ByteWindow;
  readonly table: Table;
  /** Names of the fields. */
  readonly names: readonly Uint8Array[];
  readonly source: Source;
  /** Where masks are kept; without this, they are passed over. */
  readonly kept: SegmentationBytes | undefined;
  /** The values of the record being read; undefined if it lacks a field, or has one that is no number, or may have a mask. */
  spans: Span[] | undefined;
  /** How a record was written. */
  pattern: Pattern | undefined;
  /** How many records were not written like the one before. */
  unlike: number;
}

/** Looking for the last pattern is given up when more than this share of all records, and some at first, are of others. */
const MOST_UNLIKE_SHARE = 0.25;
const MOST_UNLIKE = 100;

/**
 * Reads the list at the window's position. Values have the types of their fields then, but are not checked yet.
 * ANNOTATIONS_INVALID names the record, and the byte or the field that is wrong.
 */
export function readRecords<const Fields extends readonly Field[]>(
  window: ByteWindow,
  fields: Fields,
  source: Source,
  kept?: SegmentationBytes,
): Columns<Fields> {
  const table = newTable(fields);
  const reader: Reader = {
    window,
    table,
    names: keyTable([...fields.map(({ name }) => name), ...(kept ? ["segmentation"] : [])]),
    source,
    kept,
    spans: [],
    pattern: undefined,
    unlike: 0,
  };
  window.place = () => `, in the ${source.record} at position ${table.rows - 1}`;
  for (let more = enter(window, OPEN_BRACKET, CLOSE_BRACKET); more; more = another(window, CLOSE_BRACKET)) {
    if (table.rows === table.capacity) reserve(table, expectedRows(table, window));
    const row = table.rows++;
    const isAlike = reader.pattern !== undefined && readAlike(window, reader.pattern, table.columns, row);
    if (!isAlike) readAndLearn(reader, row);
  }
  window.place = () => "";
  return columnsOf(table);
}

/** As many as the source holds if the rest of it is like what is read. */
function expectedRows({ rows }: Table, { source, offset, position }: ByteWindow): number {
  return Math.ceil(Math.max(1.25 * rows, (1.02 * rows * source.size) / (offset + position)));
}

/** Reads a record of any form, and remembers how it was written if all of it is in the window. */
function readAndLearn(reader: Reader, row: number): void {
  const { window } = reader;
  const { offset, position } = window;
  reader.spans = reader.kept ? undefined : [];
  readRecord(reader, row);
  if (window.offset !== offset) return;
  reader.unlike++;
  const spans = reader.unlike < MOST_UNLIKE + MOST_UNLIKE_SHARE * row ? reader.spans : undefined;
  reader.pattern = spans && patternOf(window, position, spans);
}

function readRecord(reader: Reader, row: number): void {
  const { window, names, source, table } = reader;
  if (peek(window) !== OPEN_BRACE) throw notAnObject(takeText(window), row, source);
  let seen = 0;
  for (let more = enter(window, OPEN_BRACE, CLOSE_BRACE); more; more = another(window, CLOSE_BRACE)) {
    const f = readKey(window, names);
    if (f < 0) skipMember(reader);
    else if (f === table.fields.length) keepSegmentation(reader.kept as SegmentationBytes, row);
    else {
      readField(reader, f, row);
      seen |= 1 << f;
    }
  }
  if (seen !== (1 << table.fields.length) - 1) fillAbsent(reader, seen, row);
}

/** @param seen bits of the fields that the record has. */
function fillAbsent(reader: Reader, seen: number, row: number): void {
  const { table, source } = reader;
  for (let f = 0; f < table.fields.length; f++) {
    if ((seen & (1 << f)) !== 0) continue;
    const field = fieldOf(reader, f);
    if (field.absent === undefined) throw invalidValue(field, "undefined", row, source);
    const values = table.columns[f] as Float64Array;
    for (let element = 0; element < field.width; element++) values[field.width * row + element] = field.absent;
  }
  reader.spans = undefined;
}

function skipMember({ window, spans }: Reader): void {
  const first = peek(window);
  const start = window.position;
  skipValue(window);
  if (first === QUOTE || isNumberStart(first)) spans?.push({ start, end: window.position, target: undefined });
}

function fieldOf({ table }: Reader, f: number): Field {
  return table.fields[f] as Field;
}

function readField(reader: Reader, f: number, row: number): void {
  if (fieldOf(reader, f).width === 1) readElement(reader, f, row, 0);
  else readBox(reader, f, row);
}

function readBox(reader: Reader, f: number, row: number): void {
  const { window, source } = reader;
  const field = fieldOf(reader, f);
  if (peek(window) !== OPEN_BRACKET) throw invalidValue(field, takeText(window), row, source);
  let count = 0;
  for (let more = enter(window, OPEN_BRACKET, CLOSE_BRACKET); more; more = another(window, CLOSE_BRACKET)) {
    if (count < 4) readElement(reader, f, row, count);
    else skipValue(window);
    count++;
  }
  if (count === 4) return;
  const values = reader.table.columns[f] as Float64Array;
  if (count === 0) {
    values.fill(NaN, 4 * row, 4 * row + 4);
    reader.spans = undefined;
    return;
  }
  const numbers = [...values.subarray(4 * row, 4 * row + Math.min(count, 4)), ...(count > 4 ? ["..."] : [])];
  throw invalidValue(field, `[${numbers.join(",")}]`, row, source);
}

/** Reads one number of a field. */
function readElement(reader: Reader, f: number, row: number, element: number): void {
  const { window, table, source } = reader;
  const field = fieldOf(reader, f);
  const values = table.columns[f] as Float64Array;
  const first = peek(window);
  const start = window.position;
  if (isNumberStart(first)) {
    readNumber(window, values, field.width * row + element);
    reader.spans?.push({ start, end: window.position, target: { column: f, width: field.width, element } });
  } else if (first === QUOTE || first === OPEN_BRACKET || first === OPEN_BRACE) {
    throw invalidValue(field, takeText(window), row, source);
  } else {
    const literal = readLiteral(window);
    const isNumber = typeof literal === "number" || (typeof literal === "boolean" && field.kind === "flag");
    if (!isNumber) throw invalidValue(field, String(literal), row, source);
    values[field.width * row + element] = Number(literal);
    reader.spans = undefined;
  }
}
