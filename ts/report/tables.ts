/** The tables of a result as text cells, for the terminal, the page and the Markdown. */
import type { FateCount } from "../data/ledger.js";

import type { RunResult } from "../pipeline/pipeline.js";
import { armName } from "./arm-name.js";
import { formatAp, formatDuration, formatNumber, formatShare } from "./format.js";

export interface Table {
  readonly header: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

export function armTable({ arms }: RunResult): Table {
  const columns = apColumns(arms).flat();
  return {
    header: ["arm", "labeled images", "iterations", ...columns.map(([name]) => name)],
    rows: arms.map((result) => [
      armName(result, arms),
      `${result.labeled_images} (${formatShare(result.fraction)})`,
      String(result.total_iterations),
      ...columns.map(([, field]) => formatOptional(result[field])),
    ]),
  };
}

type ApField =
  | "ap"
  | "ap50"
  | "ap75"
  | "class_agnostic_ap"
  | "segm_ap"
  | "segm_ap50"
  | "segm_ap75"
  | "class_agnostic_segm_ap";
type ApColumn = readonly [name: string, field: ApField];

const BOX_COLUMNS: readonly ApColumn[] = [
  ["AP", "ap"],
  ["AP50", "ap50"],
  ["AP75", "ap75"],
  ["class-agnostic AP", "class_agnostic_ap"],
];
const MASK_COLUMNS: readonly ApColumn[] = [
  ["mask AP", "segm_ap"],
  ["mask AP50", "segm_ap50"],
  ["mask AP75", "segm_ap75"],
  ["class-agnostic mask AP", "class_agnostic_segm_ap"],
];

/** What is told of boxes, and of masks if an arm has some. */
export function apColumns(arms: RunResult["arms"]): (readonly ApColumn[])[] {
  return arms.some(({ segm_ap }) => segm_ap !== undefined) ? [BOX_COLUMNS, MASK_COLUMNS] : [BOX_COLUMNS];
}

export function classTable({ arms }: RunResult): Table {
  const names = arms[0]?.per_class.map(({ name }) => name) ?? [];
  return {
    header: ["class", ...arms.map((result) => armName(result, arms))],
    rows: names.map((name, index) => [name, ...arms.map(({ per_class }) => formatAp(per_class[index]?.ap ?? -1))]),
  };
}

/** @param planned what the steps were expected to take, in seconds. */
export function stepTable({ steps }: RunResult, planned: ReadonlyMap<string, number>): Table {
  const expected = (name: string): string => {
    const seconds = planned.get(name);
    return seconds === undefined ? "" : formatDuration(seconds);
  };
  return {
    header: ["step", "planned", "time of the work", "", "key"],
    rows: steps.map(({ name, seconds, reused, key }) => [
      name,
      expected(name),
      formatDuration(seconds),
      reused ? "reused" : "done",
      key.slice(0, 12),
    ]),
  };
}

export function gateTable({ gates }: RunResult): Table {
  return {
    header: ["gate", "of", "value", "limit", ""],
    rows: gates.map(({ name, scope, value, limit, passed, overridden }) => [
      name,
      scope,
      formatNumber(value),
      formatNumber(limit),
      passed ? "passed" : overridden ? "not passed, overridden" : "failed",
    ]),
  };
}

/** A row for each round of labeling. */
export function roundTable({ arms }: RunResult): Table {
  const rounds = arms.flatMap(({ arm, rounds }) => rounds.map((round, index) => ({ ...round, arm, index })));
  return {
    header: ["arm", "round", "score threshold", "precision", "recall", "F", "boxes per image", "without boxes"],
    rows: rounds.map(({ arm, index, score_threshold, quality, selection }) => {
      const threshold = quality?.threshold;
      return [
        arm,
        String(index + 1),
        withInterval(formatScore(score_threshold), threshold?.interval.score_threshold, formatScore),
        withInterval(formatOptional(threshold?.precision), threshold?.interval.precision, formatAp),
        withInterval(formatOptional(threshold?.recall), threshold?.interval.recall, formatAp),
        formatOptional(threshold?.f_beta),
        (selection.pseudo_labels / selection.images).toFixed(1),
        formatShare(selection.empty_images / selection.images),
      ];
    }),
  };
}

/** `0.31 [0.22, 0.4]`. */
function withInterval(
  text: string,
  interval: readonly number[] | undefined,
  format: (value: number) => string,
): string {
  if (interval === undefined) return text;
  return `${text} [${interval.map(format).join(", ")}]`;
}

function formatScore(score: number): string {
  return score.toFixed(3);
}

function formatOptional(share: number | undefined): string {
  return share === undefined ? "-" : formatAp(share);
}

const SPLITS = ["labeled", "unlabeled", "validation"] as const;

/** A row for each fate, a column for each set, and their sums. */
export function fateTable(fates: readonly FateCount[]): Table {
  const names = [...new Set(fates.map(fateName))];
  const sum = (counts: readonly FateCount[]): number => counts.reduce((total, { images }) => total + images, 0);
  const row = (name: string, counts: readonly FateCount[]): string[] => [
    name,
    ...SPLITS.map((split) => String(sum(counts.filter((count) => count.split === split)))),
    String(sum(counts)),
  ];
  return {
    header: ["images", ...SPLITS, "all"],
    rows: [
      ...names.map((name) =>
        row(
          name,
          fates.filter((fate) => fateName(fate) === name),
        ),
      ),
      row("all", fates),
    ],
  };
}

function fateName({ fate, reason }: FateCount): string {
  return reason === undefined ? fate : `${fate}: ${reason}`;
}
