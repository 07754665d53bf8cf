/** Parsed JSON to columns. Values are of their fields' types then, but not checked yet. */
import { type Columns, type Field, invalidValue, notAnObject, type Source } from "./fields.js";
import { columnsOf, newTable, reserve } from "./table.js";

/** ANNOTATIONS_INVALID names the first record that is no object, or whose field has a value of another type. */
export function columnsOfObjects<const Fields extends readonly Field[]>(
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
      if (field.width === 1 && isScalar(value, field)) values[row] = Number(value ?? 0);
      else if (field.width === 4 && isBox(value)) values.set(value, 4 * row);
      else throw invalidValue(field, show(value), row, source);
    });
  });
  return columnsOf(table);
}

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}

function isScalar(value: unknown, { kind, isOptional }: Field): boolean {
  if (value === undefined) return isOptional === true;
  return typeof value === "number" || (typeof value === "boolean" && kind === "flag");
}

function isBox(value: unknown): value is readonly number[] {
  return Array.isArray(value) && value.length === 4 && value.every((number) => typeof number === "number");
}

/** As JSON, but with the numbers that JSON lacks. */
export function show(value: unknown): string {
  if (typeof value === "number" || value === undefined) return String(value);
  if (Array.isArray(value)) return `[${value.map(show).join(",")}]`;
  return JSON.stringify(value);
}
