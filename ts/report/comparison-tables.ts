/** The numbers of a comparison as text, for the terminal, the page and the Markdown. Pure functions. */
import type { ArmSummary, Comparison, ComparisonGroup, Spread } from "../comparison/results.js";
import { formatAp, formatDuration } from "./format.js";
import type { Table } from "./tables.js";

/** Such as `10 % of the labels, 29 images, light`. */
export function groupTitle({ percent, labeled_images, target }: ComparisonGroup): string {
  const images = `${labeled_images} labeled images, ${target}`;
  return percent === undefined ? images : `${percent} % of the labels: ${images}`;
}

/** The mean over seeds, with the standard deviation where there are several. */
export function armSummaryTable({ arms }: ComparisonGroup): Table {
  return {
    header: ["arm", "seeds", "AP", "AP50", "AP75", "class-agnostic AP", "oracle-class AP", "iterations", "time a run"],
    rows: arms.map((arm) => [arm.arm, String(arm.seeds.length), ...metricsOf(arm), ...costOf(arm)]),
  };
}

export function differenceTable({ differences }: ComparisonGroup): Table {
  return {
    header: ["AP of", "less that of", "difference", "interval", "by seed"],
    rows: differences.map(({ arm, baseline, difference, interval, confidence }) => [
      arm,
      baseline,
      formatSpread(difference),
      `${interval.map(formatPoints).join(" to ")} (${Math.round(100 * confidence)} %)`,
      difference.values.map(formatPoints).join(", "),
    ]),
  };
}

/** In the order of the groups. */
export function verdicts({ groups }: Comparison): string[] {
  return groups.flatMap((group) =>
    group.differences.map(({ verdict }) => (groups.length > 1 ? `${groupTitle(group)}: ${verdict}` : verdict)),
  );
}

function metricsOf({ ap, ap50, ap75, class_agnostic_ap, oracle_class_ap }: ArmSummary): string[] {
  return [ap, ap50, ap75, class_agnostic_ap, oracle_class_ap].map(formatSpread);
}

function costOf({ total_iterations, seconds }: ArmSummary): string[] {
  return [String(total_iterations), formatDuration(seconds)];
}

function formatSpread({ mean, standard_deviation }: Spread): string {
  const shown = mean === -1 ? formatAp(mean) : formatPoints(mean);
  return standard_deviation === undefined ? shown : `${shown} ± ${formatPoints(standard_deviation)}`;
}

function formatPoints(fraction: number): string {
  return (100 * fraction).toFixed(1);
}
