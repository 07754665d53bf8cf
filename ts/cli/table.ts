/** Tables of text. Pure functions. */
import type { RunResult } from "../pipeline/pipeline.js";
import { comparison } from "../report/comparison.js";
import { armTable, type Table } from "../report/tables.js";

/** The first column is flush left, the others right. */
export function textTable({ header, rows }: Table): string {
  const widths = header.map((_, column) => Math.max(...[header, ...rows].map((cells) => cells[column]?.length ?? 0)));
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join("  ")
      .trimEnd();
  return [header, ...rows].map(line).join("\n");
}

/** The arms of a run and what may be said of them. */
export function resultTable(result: RunResult): string {
  return `${textTable(armTable(result))}\n\n${comparison(result.arms)}`;
}
