/** A check of a data set as tables, for the terminal and the page. */
import type { DataCheck } from "../data/check/check-data.js";
import type { Severity } from "../data/check/findings.js";
import type { SizeBin } from "../data/check/statistics.js";
import { formatNumber } from "./format.js";
import type { Table } from "./tables.js";

export function classCountTable({ statistics }: DataCheck): Table {
  return {
    header: ["class", "id", "objects", "images", "crowds", "median side px"],
    rows: statistics.classes.map(({ name, id, objects, images, crowds, median_side_px }) => [
      name,
      ...[id, objects, images, crowds].map(String),
      objects === 0 ? "-" : formatNumber(median_side_px),
    ]),
  };
}

/** `100 images (3 without objects), 273 objects, 9 crowds`. */
export function describeCounts({ statistics }: DataCheck): string {
  const { images, empty_images, objects, crowds, masks } = statistics;
  return [
    `${images} images${empty_images === 0 ? "" : ` (${empty_images} without objects)`}`,
    `${objects} objects`,
    ...(crowds === 0 ? [] : [`${crowds} crowds`]),
    ...(masks === 0 ? [] : [`${masks} masks`]),
  ].join(", ");
}

export function countFindings({ findings }: DataCheck, severity: Severity): number {
  return findings.reduce((count, finding) => count + (finding.severity === severity ? finding.count : 0), 0);
}

/** `2 errors, 13 warnings`. */
export function verdict(check: DataCheck): string {
  const counts = (["error", "warning"] as const).map((severity) => {
    const count = countFindings(check, severity);
    return `${count} ${severity}${count === 1 ? "" : "s"}`;
  });
  return counts.join(", ");
}

/** `below 8`, `8 to 16`, ..., `from 512`, in px. */
export function binName(bins: readonly SizeBin[], index: number): string {
  const from = bins[index - 1]?.below_px ?? 0;
  const below = bins[index]?.below_px ?? null;
  if (below === null) return `${from}+`;
  return index === 0 ? `<${below}` : `${from}-${below}`;
}
