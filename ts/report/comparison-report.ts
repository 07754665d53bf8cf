/** The report of a comparison: report.html, one file that needs nothing beside it, and report.md. */
import { join } from "node:path";
import type { ArmSummary, Comparison, ComparisonGroup } from "../comparison/results.js";
import type { Arm } from "../pipeline/config.js";
import { type DotGroup, dotChart, lineChart, seriesLegend } from "./charts.js";
import { armSummaryTable, differenceTable, groupTitle, verdicts } from "./comparison-tables.js";
import { htmlDocument, htmlTable } from "./document.js";
import { type Html, html } from "./html.js";
import { markdownTable } from "./markdown.js";
import { writeWhole } from "./write-whole.js";

export interface ComparisonReport {
  readonly name: string;
  /** How the comparison is made again. */
  readonly command: string;
  readonly comparison: Comparison;
}

/** From what has nothing to do with the task that is evaluated to what has everything to do with it. */
const BY_TASK_SPECIFICITY: readonly Arm[] = ["self_supervised", "class_agnostic", "class_specific", "mean_teacher"];

/** Writes both files into a folder that is there. */
export async function writeComparisonReport(report: ComparisonReport, directory: string): Promise<void> {
  await writeWhole(join(directory, "report.md"), comparisonMarkdown(report));
  await writeWhole(join(directory, "report.html"), comparisonPage(report).html);
}

function comparisonMarkdown({ name, command, comparison }: ComparisonReport): string {
  const groups = comparison.groups.flatMap((group) => [
    `## ${groupTitle(group)}`,
    markdownTable(armSummaryTable(group)),
    markdownTable(differenceTable(group)),
  ]);
  const lines = [...verdicts(comparison), ...comparison.notes].map((line) => `- ${line}`).join("\n");
  return `${[`# ${name}`, lines, describeMethod(comparison), ...groups, `\`${command}\``].join("\n\n")}\n`;
}

function comparisonPage({ name, command, comparison }: ComparisonReport): Html {
  return htmlDocument(name, [
    html`<header><h1>${name}</h1><p class="quiet"><code>${command}</code></p></header>`,
    html`<section><h2>Does it help?</h2>${verdicts(comparison).map((line) => html`<p class="claim">${line}</p>`)}
      ${comparison.notes.map((line) => html`<p>${line}</p>`)}<p class="quiet">${describeMethod(comparison)}</p></section>`,
    ...curves(comparison),
    ...comparison.groups.map(
      (group) =>
        html`<section><h2>${groupTitle(group)}</h2>
        ${htmlTable("Mean over seeds, plus or minus the standard deviation; AP times 100", armSummaryTable(group))}
        ${spectrum(group)}${htmlTable("Paired differences of AP", differenceTable(group))}</section>`,
    ),
  ]);
}

/** How its intervals were made. */
export function describeMethod({ resamples, validation_images }: Comparison): string {
  return `All arms of a seed have the same images, and all runs the same number of training iterations. Intervals: ${resamples} samples of the ${validation_images} validation images and of the seeds, with replacement, the same for both arms.`;
}

/** AP over the number of labels, where there are several numbers of them. */
function curves({ groups }: Comparison): Html[] {
  const targets = [...new Set(groups.map(({ target }) => target))];
  return targets.flatMap((target) => {
    const same = groups.filter((group) => group.target === target);
    if (same.length < 2) return [];
    const title = `AP over labeled images, ${target}`;
    const series = armsOf(same).map((arm) => ({ name: arm, points: pointsOf(same, arm) }));
    return [
      html`<section><h2>${title}</h2>
      <figure class="wide">${seriesLegend(series.map(({ name }) => name))}${lineChart({ title, series })}</figure></section>`,
    ];
  });
}

/** AP of the arms that use unlabeled images, where there are two of them to place and the one that does not. */
export function spectrum({ arms }: ComparisonGroup): Html | undefined {
  const dotsOf = (name: Arm): DotGroup[] => arms.filter(({ arm }) => arm === name).map(toDots);
  const groups = BY_TASK_SPECIFICITY.flatMap(dotsOf);
  const [reference] = dotsOf("supervised");
  if (reference === undefined || groups.length < 2) return undefined;
  const title = "AP against task specificity of what unlabeled images teach: a dot a seed";
  return html`<figure class="wide"><figcaption class="legend">${title}</figcaption>${dotChart({ title, groups, reference })}</figure>`;
}

function toDots({ arm, ap }: ArmSummary): DotGroup {
  return { name: arm, values: ap.values.map((value) => 100 * Math.max(0, value)) };
}

function armsOf(groups: readonly ComparisonGroup[]): string[] {
  return [...new Set(groups.flatMap(({ arms }) => arms.map(({ arm }) => arm)))];
}

function pointsOf(groups: readonly ComparisonGroup[], arm: string): [number, number][] {
  return groups.flatMap(({ labeled_images, arms }) =>
    arms
      .filter((one) => one.arm === arm)
      .map(({ ap }): [number, number] => [labeled_images, 100 * Math.max(0, ap.mean)]),
  );
}
