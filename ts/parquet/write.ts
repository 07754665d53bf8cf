import { randomUUID } from "node:crypto";
import { open, rename, rm } from "node:fs/promises";
import { type DuckDBAppender, type DuckDBConnection, DuckDBDataChunk } from "@duckdb/node-api";
import { CasslError } from "../core/errors.js";
import { type Columns, rowCountOf, type Schema } from "./columns.js";
import { duckdbTypes, fillColumn, openDuckdb, openKeptDuckdb, quoteName, quotePath, quoteText } from "./duckdb.js";

/** What a chunk can take. */
const CHUNK_ROWS = 2048;
/** Rows that need no place on the disk to wait, such as those of a prediction shard. */
const SMALL_ROWS = 100_000;

/**
 * Writes a Parquet file that is there whole or not at all, through to the disk. Equal rows and metadata give equal bytes,
 * however the rows are cut into batches. Memory is bounded: what exceeds 256 MB waits on the disk beside the file.
 * STORAGE_FAILED if the disk is full or the folder cannot be written; errors of `batches` pass through.
 * @param metadata kept in the file; see readMetadata.
 */
export async function writeParquet<S extends Schema>(
  file: string,
  schema: S,
  batches: Iterable<Columns<S>> | AsyncIterable<Columns<S>>,
  metadata: Readonly<Record<string, string>> = {},
): Promise<void> {
  const partial = `${file}.${randomUUID()}.partial`;
  const spillFolder = `${partial}.spill`;
  const { connection, close } = isSmall(batches) ? await openKeptDuckdb() : await openDuckdb(spillFolder);
  try {
    await collectRows(connection, file, schema, batches);
    await stored(file, () => connection.run(copyStatement(partial, metadata)));
    await stored(file, () => moveDurably(partial, file));
  } finally {
    close();
    await rm(partial, { force: true });
    await rm(spillFolder, { recursive: true, force: true });
  }
}

function isSmall<S extends Schema>(batches: Iterable<Columns<S>> | AsyncIterable<Columns<S>>): boolean {
  return isList(batches) && batches.reduce((rows, batch) => rows + rowCountOf(batch), 0) <= SMALL_ROWS;
}

function isList<T>(items: Iterable<T> | AsyncIterable<T>): items is readonly T[] {
  return Array.isArray(items);
}

/** Fills the table `rows`, which is of this connection alone. */
async function collectRows<S extends Schema>(
  connection: DuckDBConnection,
  file: string,
  schema: S,
  batches: Iterable<Columns<S>> | AsyncIterable<Columns<S>>,
): Promise<void> {
  const columns = Object.entries(schema).map(([name, type]) => `${quoteName(name)} ${duckdbTypes[type].toString()}`);
  await connection.run(`CREATE TEMP TABLE rows (${columns.join(", ")})`);
  const appender = await connection.createAppender("rows");
  const chunk = DuckDBDataChunk.create(Object.values(schema).map((type) => duckdbTypes[type]));
  for await (const batch of batches) {
    const rows = rowCountOf(batch);
    for (let start = 0; start < rows; start += CHUNK_ROWS) {
      fillChunk(chunk, schema, batch, start, Math.min(rows, start + CHUNK_ROWS));
      await stored(file, () => append(appender, chunk));
    }
  }
  await stored(file, async () => appender.closeSync());
}

async function append(appender: DuckDBAppender, chunk: DuckDBDataChunk): Promise<void> {
  appender.appendDataChunk(chunk);
}

function fillChunk<S extends Schema>(
  chunk: DuckDBDataChunk,
  schema: S,
  batch: Columns<S>,
  start: number,
  end: number,
): void {
  chunk.reset();
  chunk.rowCount = end - start;
  for (const [column, name] of Object.keys(schema).entries()) {
    const values = batch[name] as Columns<S>[string];
    if (ArrayBuffer.isView(values)) fillColumn(chunk, column, values.subarray(start, end));
    else chunk.setColumnValues(column, values.slice(start, end));
  }
}

function copyStatement(partial: string, metadata: Readonly<Record<string, string>>): string {
  const members = Object.entries(metadata).map(([key, value]) => `${quoteText(key)}: ${quoteText(value)}`);
  const kept = members.length === 0 ? "" : `, KV_METADATA {${members.join(", ")}}`;
  return `COPY rows TO ${quotePath(partial)} (FORMAT parquet, COMPRESSION zstd${kept})`;
}

async function moveDurably(partial: string, file: string): Promise<void> {
  const handle = await open(partial);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(partial, file);
}

async function stored<T>(file: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw new CasslError(
      "STORAGE_FAILED",
      `${file} cannot be written: ${(error as Error).message}.`,
      "Free space on the disk, or make the folder writable; then run the same command again.",
      { cause: error },
    );
  }
}
