/** Parsed JSON, or a user's typed arrays, to columns. Values are of their fields' types then, but not checked yet. */
import { CasslError } from "../../../core/errors.js";
import type { NumberColumn } from "../coco-format.js";
import { type Columns, type Field, invalidValue, notAnObject, type Source } from "./fields.js";
import { columnsOf, newTable, reserve } from "./table.js";

type TypedArrays<Fields extends readonly Field[]> = { readonly [column in Fields[number]["column"]]: NumberColumn };

/** ANNOTATIONS_INVALID names the first record or column of another type, or the columns' lengths if they differ. */
export function columnsInMemory<const Fields extends readonly Field[]>(
  input: readonly unknown[] | TypedArrays<Fields>,
  fields: Fields,
  source: Source,
): Columns<Fields> {
  const isList = (value: unknown): value is readonly unknown[] => Array.isArray(value);
  return isList(input) ? columnsOfRecords(input, fields, source) : columnsOfArrays(input, fields, source);
}

function columnsOfRecords<const Fields extends readonly Field[]>(
  records: readonly unknown[],
  fields: Fields,
  source: Source,
): Columns<Fields> {
  const table = newTable(fields);
  reserve(table, records.length);
  table.rows = records.length;
  records.forEach((record, row) => {
    if (!isObject(record)) throw notAnObject(show(record), row, source);
    fields.forEach((field, f) => {
      const value = record[field.name];
      const values = table.columns[f] as Float64Array;
      if (field.width === 1 && isScalar(value, field)) values[row] = Number(value ?? field.absent);
      else if (field.width === 4 && isBox(value)) values.set(value, 4 * row);
      else if (field.width === 4 && isNothing(value)) values.fill(NaN, 4 * row, 4 * row + 4);
      else throw invalidValue(field, show(value), row, source);
    });
  });
  return columnsOf(table);
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}

function isScalar(value: unknown, { kind, absent }: Field): boolean {
  if (value === undefined) return absent !== undefined;
  return typeof value === "number" || (typeof value === "boolean" && kind === "flag");
}

function isBox(value: unknown): value is readonly number[] {
  return Array.isArray(value) && value.length === 4 && value.every((number) => typeof number === "number");
}

function isNothing(value: unknown): boolean {
  return value === undefined || (Array.isArray(value) && value.length === 0);
}

/** As JSON, but with the numbers that JSON lacks. */
function show(value: unknown): string {
  if (typeof value === "number" || value === undefined) return String(value);
  if (Array.isArray(value)) return `[${value.map(show).join(",")}]`;
  return JSON.stringify(value);
}

function columnsOfArrays<const Fields extends readonly Field[]>(
  arrays: TypedArrays<Fields>,
  fields: Fields,
  { record }: Source,
): Columns<Fields> {
  const given = arrays as Readonly<Record<string, unknown>>;
  const named = fields.map(({ column }) => [column, asDoubles(given[column], column, record)] as const);
  const rows = fields.map(({ width }, f) => (named[f]?.[1].length as number) / width);
  if (rows.some((count) => count !== rows[0] || !Number.isInteger(count))) {
    const lengths = named.map(([column, { length }]) => `${column} ${length}`).join(", ");
    throw invalidColumns(`The columns of each ${record} do not have as many rows: they hold ${lengths} numbers.`);
  }
  return Object.fromEntries(named) as Columns<Fields>;
}

function asDoubles(values: unknown, column: string, record: string): Float64Array {
  if (values instanceof Float64Array) return values;
  if (ArrayBuffer.isView(values) && !(values instanceof DataView)) return new Float64Array(values as NumberColumn);
  throw invalidColumns(`The column ${column} of each ${record} is no typed array of numbers.`);
}

function invalidColumns(message: string): CasslError {
  const remedy = "Give typed arrays with one number a record, and four for boxXywh.";
  return new CasslError("ANNOTATIONS_INVALID", message, remedy);
}
