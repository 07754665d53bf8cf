/** How the pseudo labels came about: thresholds with what they give on held-out images, and gates that were overridden. */
import type { RunResult } from "../pipeline/pipeline.js";
import { lineChart, type Series, seriesLegend } from "./charts.js";
import { htmlTable } from "./document.js";
import { type Html, type HtmlPart, html } from "./html.js";
import { roundTable } from "./tables.js";

/** Undefined where no arm has pseudo labels. */
export function pseudoLabelContent(result: RunResult): HtmlPart {
  if (result.arms.every(({ rounds }) => rounds.length === 0)) return undefined;
  return [
    htmlTable(thresholdCaption(result), roundTable(result)),
    thresholdNotes(result).map((note) => html`<p>${note}</p>`),
    thresholdCurves(result).map(({ title, series }) => curveFigure(title, series)),
  ];
}

/** What the numbers of the table are. */
export function thresholdCaption({ arms }: RunResult): string {
  const threshold = arms.flatMap(({ rounds }) => rounds).find(({ quality }) => quality !== undefined)
    ?.quality?.threshold;
  if (threshold === undefined) return "The score threshold of each round; nothing was held out to judge it on";
  const { images, objects, interval } = threshold;
  const source = `${images} held-out images with ${objects} objects`;
  return `The score threshold of each round, and what it gives on ${source}, times 100, at IoU 0.5. In brackets: ${100 * interval.confidence} % bootstrap intervals over images`;
}

/** Warnings, and gates that did not stop the run. */
export function thresholdNotes({ arms, gates }: RunResult): string[] {
  const warnings = arms.flatMap(({ arm, rounds }) =>
    rounds.flatMap(({ quality }) => (quality?.threshold.warnings ?? []).map((text) => `${arm}: ${text}`)),
  );
  const overridden = gates.filter((gate) => gate.overridden);
  return [
    ...new Set(warnings),
    ...overridden.map(({ name, scope, reason }) => `Gate ${name} of ${scope} was overridden: ${reason}`),
  ];
}

interface Curves {
  readonly title: string;
  readonly series: readonly Series[];
}

function thresholdCurves({ arms }: RunResult): Curves[] {
  return arms.flatMap(({ arm, rounds }) =>
    rounds.flatMap(({ quality }, index) => {
      if (quality === undefined || quality.threshold.curve.length < 2) return [];
      const { curve, beta } = quality.threshold;
      const line = (name: string, field: "precision" | "recall" | "f_beta"): Series => ({
        name,
        points: curve.map((point) => [point.score, point[field]]),
      });
      const round = rounds.length === 1 ? "" : `, round ${index + 1}`;
      const series = [line(`F${beta}`, "f_beta"), line("precision", "precision"), line("recall", "recall")];
      return [{ title: `${arm}${round}`, series }];
    }),
  );
}

function curveFigure(title: string, series: readonly Series[]): Html {
  const names = series.map(({ name }) => name);
  return html`<article class="curve">
    <h3>${title}</h3>
    <figure>${seriesLegend(names, "On held-out images over the score threshold")}${lineChart({ title: `F, precision and recall of ${title} over the score threshold`, series })}</figure>
  </article>`;
}
