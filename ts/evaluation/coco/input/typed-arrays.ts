/** A user's typed arrays to columns. */
import { CasslError } from "../../../core/errors.js";
import type { NumberColumn } from "../coco-format.js";
import type { Columns, Field, Source } from "./fields.js";

/** ANNOTATIONS_INVALID unless all of them are typed arrays with as many rows. */
export function columnsOfArrays<const Fields extends readonly Field[]>(
  arrays: { readonly [column in Fields[number]["column"]]: NumberColumn },
  fields: Fields,
  { record }: Source,
): Columns<Fields> {
  const given = arrays as Readonly<Record<string, NumberColumn>>;
  const named = fields.map(({ column, width }): [string, Float64Array, number] => {
    const values = asDoubles(given[column], column, record);
    return [column, values, values.length / width];
  });
  if (new Set(named.map(([, , rows]) => rows)).size > 1 || !named.every(([, , rows]) => Number.isInteger(rows))) {
    const lengths = named.map(([column, { length }]) => `${column} ${length}`).join(", ");
    throw invalidColumns(`The columns of each ${record} have different numbers of rows: ${lengths} numbers.`);
  }
  return Object.fromEntries(named) as Columns<Fields>;
}

function asDoubles(values: NumberColumn | undefined, column: string, record: string): Float64Array {
  if (values instanceof Float64Array) return values;
  if (ArrayBuffer.isView(values)) return Float64Array.from(values);
  throw invalidColumns(`The column ${column} of each ${record} is no typed array of numbers.`);
}

function invalidColumns(message: string): CasslError {
  return new CasslError(
    "ANNOTATIONS_INVALID",
    message,
    "Give typed arrays with one row a record, boxXywh with four numbers a row.",
  );
}
