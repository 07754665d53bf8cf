/** What the detections of the arms say beyond their AP: differences with intervals, curves, errors. Pure functions. */
import { armDifferences } from "../comparison/comparison.js";
import type { ArmDifference } from "../comparison/results.js";
import { errorKinds } from "../evaluation/diagnosis/index.js";
import type { RunResult } from "../pipeline/pipeline.js";
import { armName } from "./arm-name.js";
import { type LineChart, lineChart, seriesLegend } from "./charts.js";
import { htmlTable } from "./document.js";
import { formatAp } from "./format.js";
import { type Html, html } from "./html.js";
import type { ReportInput } from "./report-input.js";
import type { Table } from "./tables.js";

/** Of the intervals. */
export const BOOTSTRAP = { resamples: 1000, seed: 0, confidence: 0.95 } as const;

export const DIFFERENCE_CAPTION = `Paired differences of AP, times 100, with ${100 * BOOTSTRAP.confidence} % intervals of ${BOOTSTRAP.resamples} bootstrap samples of the validation images. They hold the luck with images, not that with seeds, of which cassl compare tries several`;
export const ERROR_CAPTION =
  "How much AP50 would rise with each kind of error fixed, times 100, and how many there are (TIDE)";

export interface TargetDifference extends ArmDifference {
  readonly target: string;
}

/** Arms are compared within a family of detectors, as `cassl compare` does. */
export function differences({ result: { arms }, judged }: Pick<ReportInput, "result" | "judged">): TargetDifference[] {
  const targets = [...new Set(arms.map(({ target }) => target))];
  return targets.flatMap((target) => {
    const aps = arms.flatMap(({ arm, seed, target: own }, index) => {
      const resampled = judged[index]?.resampled;
      return own === target && resampled !== undefined ? [{ arm, seed, resampled }] : [];
    });
    return armDifferences(aps, BOOTSTRAP).map((difference) => ({ ...difference, target }));
  });
}

export function pairedTable(pairs: readonly TargetDifference[]): Table {
  const several = new Set(pairs.map(({ target }) => target)).size > 1;
  const points = (value: number): string => `${value > 0 ? "+" : ""}${(100 * value).toFixed(2)}`;
  return {
    header: ["AP of", "less that of", "difference", "from", "to"],
    rows: pairs.map(({ arm, baseline, target, difference, interval }) => [
      several ? `${arm} ${target}` : arm,
      several ? `${baseline} ${target}` : baseline,
      points(difference.mean),
      ...interval.map(points),
    ]),
  };
}

/** A row an arm, a column a kind. */
export function errorTable({ result: { arms }, judged }: Pick<ReportInput, "result" | "judged">): Table {
  return {
    header: ["arm", ...errorKinds, "false positives", "false negatives"],
    rows: judged.map(({ errors: { kinds, falsePositives, falseNegatives } }, index) => [
      nameOf(arms, index),
      ...[...errorKinds.map((kind) => kinds[kind]), falsePositives, falseNegatives].map(
        ({ apGained, count }) => `${formatAp(apGained)} (${count})`,
      ),
    ]),
  };
}

/** Empty without an object to be found. */
export function curveFigure({ result: { arms }, judged }: Pick<ReportInput, "result" | "judged">): Html {
  const series = judged.map(({ curve: { recall, precision } }, index) => ({
    name: nameOf(arms, index),
    points: recall.map((value, point) => [value, precision[point] as number] as const),
  }));
  if (series.every(({ points }) => points.length === 0)) return html``;
  const chart: LineChart = { title: "Precision over recall at IoU 0.5, mean over the classes", series };
  return html`<figure class="wide">
    ${seriesLegend(
      series.map(({ name }) => name),
      chart.title,
    )}
    ${lineChart(chart)}
  </figure>`;
}

export function pairedHtml(pairs: readonly TargetDifference[]): Html {
  return pairs.length === 0 ? html`` : htmlTable(DIFFERENCE_CAPTION, pairedTable(pairs));
}

function nameOf(arms: RunResult["arms"], index: number): string {
  const arm = arms[index];
  return arm === undefined ? "" : armName(arm, arms);
}
