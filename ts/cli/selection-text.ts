/** What `cassl select` prints. Pure functions. */

import type { StoredLabels } from "../controller/stored-labels.js";
import type { SelectionPolicy } from "../labels/select-rows.js";
import type { SelectionStats } from "../labels/selection-stats.js";
import type { ThresholdPoint } from "../labels/threshold-curve.js";
import { formatNumber, formatShare } from "../report/format.js";
import { textTable } from "./table.js";

/** What a policy gives. */
export interface Effect {
  readonly run: string;
  readonly scope: string;
  readonly policy: SelectionPolicy;
  readonly stats: SelectionStats;
  /** On held-out images, at the nearest score of the stored curve that is not lower; absent if nothing was held out. */
  readonly expected?: { readonly precision: number; readonly recall: number };
  /** Share of the images that have no pseudo label. */
  readonly empty_share: number;
  readonly labels_per_image: number;
}

const BAR_WIDTH = 40;
const MOST_ROWS = 12;

export function effectOf(stored: StoredLabels, policy: SelectionPolicy, stats: SelectionStats): Effect {
  const expected = expectedAt(stored.quality?.threshold.curve ?? [], policy.score_threshold);
  return {
    run: stored.run,
    scope: stored.scope,
    policy,
    stats,
    ...(expected === undefined ? {} : { expected }),
    empty_share: stats.images === 0 ? 0 : stats.empty_images / stats.images,
    labels_per_image: stats.images === 0 ? 0 : stats.pseudo_labels / stats.images,
  };
}

/** @param curve by descending score. What keeps no held-out detection has no precision to tell of. */
function expectedAt(curve: readonly ThresholdPoint[], threshold: number): Effect["expected"] {
  const point = curve.filter(({ score }) => score >= threshold).at(-1);
  return point && { precision: point.precision, recall: point.recall };
}

export function selectionText({ run, scope, selected }: StoredLabels, effects: readonly Effect[]): string {
  const [first] = effects;
  const chosen = selected === undefined ? "" : ` The run selected from ${formatNumber(selected.score_threshold)} on.`;
  const title = `${run}, ${scope}: ${first?.stats.predictions} predictions on ${first?.stats.images} images.${chosen}`;
  return [title, thresholdTable(effects), ...(effects.length === 1 && first ? details(first.stats) : [])].join("\n\n");
}

function thresholdTable(effects: readonly Effect[]): string {
  return textTable({
    header: ["threshold", "pseudo labels", "per image", "images without", "expected precision", "expected recall"],
    rows: effects.map(({ policy, stats, expected, empty_share, labels_per_image }) => [
      formatNumber(policy.score_threshold),
      String(stats.pseudo_labels),
      labels_per_image.toFixed(2),
      `${stats.empty_images} (${formatShare(empty_share)})`,
      expected === undefined ? "-" : formatShare(expected.precision),
      expected === undefined ? "-" : formatShare(expected.recall),
    ]),
  });
}

function details({ images_by_labels, predictions_by_score, labels_by_score, dropped }: SelectionStats): string[] {
  const { score, min_side, nms, max_per_image } = dropped;
  return [
    `Dropped: ${score} by score, ${min_side} too small, ${nms} by NMS, ${max_per_image} beyond the most of an image.`,
    histogram(["labels", "images"], grouped(images_by_labels)),
    histogram(
      ["score from", "predictions", "pseudo labels"],
      predictions_by_score.map((count, part) => [
        (part / predictions_by_score.length).toFixed(2),
        count,
        labels_by_score[part] ?? 0,
      ]),
    ),
  ];
}

/** Each count by itself while they are few, else ranges of equal width. */
function grouped(images_by_labels: readonly number[]): [string, number][] {
  const width = Math.ceil(images_by_labels.length / MOST_ROWS);
  const starts = images_by_labels.flatMap((_, at) => (at % width === 0 ? [at] : []));
  return starts.map((start) => {
    const count = images_by_labels.slice(start, start + width).reduce((sum, images) => sum + images, 0);
    return [width === 1 ? String(start) : `${start}-${start + width - 1}`, count];
  });
}

/** Bars are of the first number of each row. */
function histogram(header: readonly string[], rows: readonly (readonly [string, number, number?])[]): string {
  const most = Math.max(1, ...rows.map(([, count]) => count));
  const cells = rows.map(([name, ...counts]) => [name, ...counts.map(String)]);
  const lines = textTable({ header, rows: cells }).split("\n");
  return lines
    .map((line, at) => {
      const count = rows[at - 1]?.[1] ?? 0;
      return `${line}  ${"#".repeat(Math.round((BAR_WIDTH * count) / most))}`.trimEnd();
    })
    .join("\n");
}
