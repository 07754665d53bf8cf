/** The door of DuckDB, which reads and writes Parquet: in-memory instances, and their chunks of rows. */
import { resolve } from "node:path";
import {
  DOUBLE,
  type DuckDBConnection,
  type DuckDBDataChunk,
  DuckDBInstance,
  type DuckDBType,
  FLOAT,
  INTEGER,
  UBIGINT,
  UINTEGER,
  UTINYINT,
  VARCHAR,
} from "@duckdb/node-api";
import duckdb from "@duckdb/node-bindings";
import type { ColumnType, NumberArray } from "./columns.js";

export const duckdbTypes: Readonly<Record<ColumnType, DuckDBType>> = {
  uint8: UTINYINT,
  int32: INTEGER,
  uint32: UINTEGER,
  uint64: UBIGINT,
  float32: FLOAT,
  float64: DOUBLE,
  string: VARCHAR,
};

const OPTIONS = {
  // More of them would write rows in an order of their own.
  threads: "1",
  memory_limit: "256MB",
  // All that is needed is built in; the rest would come over the network.
  autoinstall_known_extensions: "false",
  autoload_known_extensions: "false",
};

export interface OpenDuckdb {
  readonly connection: DuckDBConnection;
  close(): void;
}

/**
 * A fresh instance.
 * @param spillFolder for what does not fit into memory; DuckDB makes it where it needs one.
 */
export async function openDuckdb(spillFolder?: string): Promise<OpenDuckdb> {
  const instance = await DuckDBInstance.create(":memory:", { ...OPTIONS, temp_directory: spillFolder ?? "" });
  const connection = await instance.connect();
  return {
    connection,
    close() {
      connection.closeSync();
      instance.closeSync();
    },
  };
}

let kept: Promise<DuckDBInstance> | undefined;

/** A connection to an instance that this thread keeps, for few rows: making one takes longer than writing or finding them. */
export async function openKeptDuckdb(): Promise<OpenDuckdb> {
  kept ??= DuckDBInstance.create(":memory:", { ...OPTIONS, temp_directory: "" }).catch((error: unknown) => {
    // The next one tries again.
    kept = undefined;
    throw error;
  });
  const instance = await kept;
  const connection = await instance.connect();
  return { connection, close: () => connection.closeSync() };
}

/** A file as SQL. */
export function quotePath(file: string): string {
  return quoteText(resolve(file));
}

export function quoteText(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

export function quoteName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** Copies values into a column of a chunk that has as many rows. */
export function fillColumn(chunk: DuckDBDataChunk, column: number, values: NumberArray): void {
  const vector = duckdb.data_chunk_get_vector(chunk.chunk, column);
  duckdb.copy_data_to_vector(vector, 0, values.buffer, values.byteOffset, values.byteLength);
}

/** Copies a column of a chunk, with `rows` rows, to `target` from position `at` on. Returns whether a value is missing. */
export function takeColumn(chunk: DuckDBDataChunk, column: number, target: NumberArray, at: number): boolean {
  const rows = chunk.rowCount;
  const vector = duckdb.data_chunk_get_vector(chunk.chunk, column);
  const width = target.BYTES_PER_ELEMENT;
  new Uint8Array(target.buffer).set(duckdb.vector_get_data(vector, rows * width), at * width);
  const validity = duckdb.vector_get_validity(vector, Math.ceil(rows / 8)) as Uint8Array | null;
  return validity !== null && !areAllSet(validity, rows);
}

function areAllSet(bits: Uint8Array, count: number): boolean {
  const whole = count >> 3;
  for (let byte = 0; byte < whole; byte++) if (bits[byte] !== 0xff) return false;
  const rest = (1 << (count & 7)) - 1;
  return ((bits[whole] ?? 0) & rest) === rest;
}
