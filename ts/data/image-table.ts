/** The ledger as a Parquet file, for those who ask questions of millions of images: a row an image, a column a member. */
import type { ArtifactStore } from "../core/artifacts.js";
import type { ArtifactRef } from "../gen/cassl/v1/artifact_service.js";
import { type Columns, queryParquet, type Schema, writeParquet } from "../parquet/index.js";
import type { LedgerLine } from "./ledger.js";

/** Members of LedgerLine. What is not known is null, and 0 where it is a number. */
export const imageTableSchema = {
  file_name: "string",
  split: "string",
  fate: "string",
  reason: "string",
  detail: "string",
  size_bytes: "uint64",
  sha256: "string",
  picture_hash: "string",
  series: "string",
  width_px: "uint32",
  height_px: "uint32",
} as const satisfies Schema;

type ImageColumns = Columns<typeof imageTableSchema>;

const ROWS_AT_ONCE = 65_536;

/** Equal lines give equal bytes. */
export async function storeImageTable(artifacts: ArtifactStore, lines: Iterable<LedgerLine>): Promise<ArtifactRef> {
  const metadata = { cassl: "images", version: "1" };
  return artifacts.putFile((file) => writeParquet(file, imageTableSchema, batchesOf(lines), metadata));
}

function* batchesOf(lines: Iterable<LedgerLine>): Generator<ImageColumns> {
  let batch: LedgerLine[] = [];
  for (const line of lines) {
    if (batch.push(line) < ROWS_AT_ONCE) continue;
    yield toColumns(batch);
    batch = [];
  }
  yield toColumns(batch);
}

function toColumns(lines: readonly LedgerLine[]): ImageColumns {
  const texts = (member: "reason" | "detail" | "sha256" | "picture_hash" | "series") =>
    lines.map((line) => line[member] ?? null);
  return {
    file_name: lines.map(({ file_name }) => file_name),
    split: lines.map(({ split }) => split),
    fate: lines.map(({ fate }) => fate),
    reason: texts("reason"),
    detail: texts("detail"),
    size_bytes: BigUint64Array.from(lines, ({ size_bytes = 0 }) => BigInt(size_bytes)),
    sha256: texts("sha256"),
    picture_hash: texts("picture_hash"),
    series: texts("series"),
    width_px: Uint32Array.from(lines, ({ width_px = 0 }) => width_px),
    height_px: Uint32Array.from(lines, ({ height_px = 0 }) => height_px),
  };
}

export interface ImageQuery {
  /** What members must be equal to; null: nothing is known. */
  readonly where?: Partial<Record<"file_name" | "split" | "fate" | "reason", string | null>>;
  /** What the file name must contain, in any case of letters. */
  readonly containing?: string;
  readonly offset?: number;
  readonly limit: number;
}

export interface ImagePage {
  /** All rows that were asked for; `lines` are some of them. */
  readonly total: number;
  /** In the order of the ledger. */
  readonly lines: readonly LedgerLine[];
}

/** Some rows of an image table, whatever its size. FILE_NOT_FOUND; ARTIFACT_CORRUPT if it is none. */
export async function findImages(
  file: string,
  { where = {}, containing = "", offset = 0, limit }: ImageQuery,
): Promise<ImagePage> {
  const { total, rows } = await queryParquet(file, imageTableSchema, {
    equal: where,
    ...(containing === "" ? {} : { containing: { column: "file_name", text: containing } }),
    offset,
    limit,
  });
  return { total, lines: rows.map(toLine) };
}

function toLine(row: Readonly<Record<string, string | number | null>>): LedgerLine {
  const known = Object.entries(row).filter(([member, value]) => value !== null && !(value === 0 && isSize(member)));
  return Object.fromEntries(known) as unknown as LedgerLine;
}

function isSize(member: string): boolean {
  return member === "size_bytes" || member.endsWith("_px");
}
