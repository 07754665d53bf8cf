import { access } from "node:fs/promises";
import type { DuckDBResult } from "@duckdb/node-api";
import { FILES_AT_ONCE, mapConcurrently } from "../core/concurrency.js";
import { CasslError } from "../core/errors.js";
import { type Columns, type ColumnType, type NumberArray, newArray, type Schema } from "./columns.js";
import { duckdbTypes, openDuckdb, quoteName, quotePath, takeColumn } from "./duckdb.js";

/** Most rows of a batch. */
const BATCH_ROWS = 65_536;

/** What DuckDB gives at once at most. */
const CHUNK_ROWS = 2048;

/**
 * The rows of Parquet files, one file after the other, each in its order, a batch in memory at a time.
 * FILE_NOT_FOUND if a file is not there. ARTIFACT_CORRUPT if one is no whole Parquet file, lacks a column of the schema, has
 * it with another type or lacks a number in it.
 * @param schema the columns to read.
 */
export async function* readParquet<S extends Schema>(
  files: readonly string[],
  schema: S,
): AsyncGenerator<Columns<S>, void, undefined> {
  if (files.length === 0) return;
  await checkPresent(files);
  const { connection, close } = await openDuckdb();
  try {
    const names = Object.keys(schema).map(quoteName).join(", ");
    const query = `SELECT ${names} FROM read_parquet([${files.map(quotePath).join(", ")}])`;
    const result = await reading(files, () => connection.stream(query));
    checkTypes(result, files, schema);
    for (;;) {
      const batch = await reading(files, () => nextBatch(result, files, schema));
      if (batch === undefined) return;
      yield batch;
    }
  } finally {
    close();
  }
}

export interface FileMetadata {
  readonly rows: number;
  /** What `writeParquet` was given as `metadata`. Other programs add keys of their own. */
  readonly metadata: ReadonlyMap<string, string>;
}

/** FILE_NOT_FOUND; ARTIFACT_CORRUPT if it is no whole Parquet file. */
export async function readMetadata(file: string): Promise<FileMetadata> {
  await checkPresent([file]);
  const { connection, close } = await openDuckdb();
  const rowsOf = async (query: string): Promise<unknown[][]> => (await connection.runAndReadAll(query)).getRows();
  try {
    return await reading([file], async () => {
      const path = quotePath(file);
      const [counts] = await rowsOf(`SELECT num_rows::DOUBLE FROM parquet_file_metadata(${path})`);
      const pairs = await rowsOf(`SELECT decode(key), decode(value) FROM parquet_kv_metadata(${path})`);
      return { rows: counts?.[0] as number, metadata: new Map(pairs as [string, string][]) };
    });
  } finally {
    close();
  }
}

/** The next rows, up to BATCH_ROWS of them; undefined where there are no more. */
async function nextBatch<S extends Schema>(
  result: DuckDBResult,
  files: readonly string[],
  schema: S,
): Promise<Columns<S> | undefined> {
  const targets = Object.entries(schema).map(([name, type]) => ({ name, values: targetOf(type) }));
  let rows = 0;
  while (rows <= BATCH_ROWS - CHUNK_ROWS) {
    const chunk = await result.fetchChunk();
    if (chunk === null || chunk.rowCount === 0) break;
    for (const [column, { name, values }] of targets.entries()) {
      if (Array.isArray(values)) values.push(...(chunk.getColumnValues(column) as (string | null)[]));
      else if (takeColumn(chunk, column, values, rows))
        throw corrupt(files, `a value is missing in the column ${name}`);
    }
    rows += chunk.rowCount;
  }
  if (rows === 0) return undefined;
  const columns = targets.map(({ name, values }) => [name, Array.isArray(values) ? values : values.subarray(0, rows)]);
  return Object.fromEntries(columns) as Columns<S>;
}

function targetOf(type: ColumnType): NumberArray | (string | null)[] {
  return type === "string" ? [] : new newArray[type](BATCH_ROWS);
}

function checkTypes(result: DuckDBResult, files: readonly string[], schema: Schema): void {
  for (const [column, [name, type]] of Object.entries(schema).entries()) {
    const found = result.columnType(column).toString();
    const due = duckdbTypes[type].toString();
    if (found !== due) throw corrupt(files, `the column ${name} has the type ${found}, not ${due}`);
  }
}

/** DuckDB takes the name of a file that is not there for a pattern. */
export async function checkPresent(files: readonly string[]): Promise<void> {
  await mapConcurrently(files, FILES_AT_ONCE, async (file) => {
    await access(file).catch((cause: unknown) => Promise.reject(notFound(file, cause)));
  });
}

/** What DuckDB throws is ARTIFACT_CORRUPT. */
export async function reading<T>(files: readonly string[], work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof CasslError) throw error;
    throw corrupt(files, (error as Error).message, { cause: error });
  }
}

function corrupt([file, ...others]: readonly string[], fault: string, options?: ErrorOptions): CasslError {
  const what = others.length === 0 ? file : `${file}, or one of ${others.length} files read with it,`;
  return new CasslError(
    "ARTIFACT_CORRUPT",
    `${what} cannot be read as Parquet: ${fault}.`,
    "Make the file again.",
    options,
  );
}

function notFound(file: string, cause: unknown): CasslError {
  return new CasslError("FILE_NOT_FOUND", `${file} cannot be read.`, "Correct the path.", { cause });
}
