import type { Row } from "../sqlite.js";

export function optional<T>(row: Row | undefined, decode: (row: Row) => T): T | undefined {
  return row === undefined ? undefined : decode(row);
}
