/** Parquet files: the only place that knows DuckDB. */
export type { Columns, ColumnType, Schema } from "./columns.js";
export { type ParquetQuery, type ParquetRows, queryParquet } from "./query.js";
export { type FileMetadata, readMetadata, readParquet } from "./read.js";
export { writeParquet } from "./write.js";
