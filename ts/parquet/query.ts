/** Some rows of a Parquet file, for people who look into large ones. */
import type { Schema } from "./columns.js";
import { openKeptDuckdb, quoteName, quotePath } from "./duckdb.js";
import { checkPresent, reading } from "./read.js";

export interface ParquetQuery<S extends Schema> {
  /** Columns that must have that value; null: none. */
  readonly equal?: Partial<Record<keyof S & string, string | null>>;
  readonly containing?: { readonly column: keyof S & string; readonly text: string };
  readonly offset: number;
  readonly limit: number;
}

export interface ParquetRows {
  /** All rows that were asked for. */
  readonly total: number;
  /** From `offset` on, `limit` at most, in the order of the file. Whole numbers are numbers. */
  readonly rows: readonly Readonly<Record<string, string | number | null>>[];
}

/** FILE_NOT_FOUND; ARTIFACT_CORRUPT if it is no whole Parquet file or lacks a column of the schema. */
export async function queryParquet<S extends Schema>(
  file: string,
  schema: S,
  query: ParquetQuery<S>,
): Promise<ParquetRows> {
  await checkPresent([file]);
  const { offset, limit } = query;
  const { source, values } = sourceOf(file, query);
  const names = Object.keys(schema);
  const page = `SELECT ${names.map(quoteName).join(", ")} ${source} LIMIT ${Math.floor(limit)} OFFSET ${Math.floor(offset)}`;
  const { connection, close } = await openKeptDuckdb();
  try {
    return await reading([file], async () => {
      const found = (await connection.runAndReadAll(page, values)).getRows();
      const rows = found.map((row) => recordOf(names, row));
      // A page that is not full is the last one.
      if (rows.length > 0 && rows.length < limit) return { total: offset + rows.length, rows };
      const counted = await connection.runAndReadAll(`SELECT count(*)::DOUBLE ${source}`, values);
      return { total: counted.getRows()[0]?.[0] as number, rows };
    });
  } finally {
    close();
  }
}

/** The part of a statement that says which rows are asked for. What they are compared with is bound, never part of the text. */
function sourceOf<S extends Schema>(
  file: string,
  { equal = {}, containing }: ParquetQuery<S>,
): { readonly source: string; readonly values: string[] } {
  const values: string[] = [];
  const bind = (value: string): string => `$${values.push(value)}`;
  const conditions = Object.entries<string | null | undefined>(equal).flatMap(([column, value]) => {
    if (value === undefined) return [];
    return value === null ? `${quoteName(column)} IS NULL` : `${quoteName(column)} = ${bind(value)}`;
  });
  if (containing) conditions.push(`contains(lower(${quoteName(containing.column)}), lower(${bind(containing.text)}))`);
  const where = conditions.length === 0 ? "" : ` WHERE ${conditions.join(" AND ")}`;
  return { source: `FROM read_parquet(${quotePath(file)})${where}`, values };
}

function recordOf(names: readonly string[], row: readonly unknown[]): Record<string, string | number | null> {
  return Object.fromEntries(names.map((name, column) => [name, plain(row[column])]));
}

function plain(value: unknown): string | number | null {
  return typeof value === "bigint" ? Number(value) : (value as string | number | null);
}
