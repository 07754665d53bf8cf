/** The report as one page of HTML. Pure functions. */
import type { RunResult } from "../pipeline/pipeline.js";
import { armName } from "./arm-name.js";
import { PARITY_CAPTION, parityTable } from "./certificates.js";
import { barChart, lineChart, type Series, seriesLegend } from "./charts.js";
import { comparison } from "./comparison.js";
import { costOf, costSentence } from "./cost.js";
import { htmlDocument, htmlTable, htmlTextTable } from "./document.js";
import { curveFigure, differences, ERROR_CAPTION, errorTable, pairedHtml } from "./evaluation.js";
import { formatAp, formatDuration, formatTime } from "./format.js";
import { type Html, type HtmlPart, html } from "./html.js";
import { leakFigures } from "./leaks.js";
import { lossNames } from "./loss-names.js";
import {
  ARTIFACT_CAPTION,
  artifactTable,
  configurationText,
  ENVIRONMENT_CAPTION,
  environmentTable,
  REPRODUCTION,
} from "./manifest.js";
import { pseudoLabelContent } from "./pseudo-labels.js";
import { question } from "./question.js";
import type { ReportedCuration, ReportedRun, ReportInput, SampleGroup } from "./report-input.js";
import { legend } from "./samples.js";
import { contents, type Section, sectionHtml } from "./section.js";
import { apColumns, armTable, classTable, fateTable, gateTable, stepTable, type Table } from "./tables.js";
import { timeline } from "./timeline.js";
import { batchesOf, stepSpans, type TrainingCurve, trainingCurves } from "./training-curves.js";
import { TRANSPLANT_CAPTION, transplantTable } from "./transplants.js";

const MOST_OPEN_ROWS = 12;

/** @param figures of each group of samples, in their order. */
export function page(input: ReportInput, figures: readonly (readonly Html[])[]): Html {
  const sections = sectionsOf(input, figures).filter(({ content }) => content !== undefined);
  return htmlDocument(input.run.run_id, [heading(input), contents(sections), ...sections.map(sectionHtml)]);
}

function sectionsOf(input: ReportInput, figures: readonly (readonly Html[])[]): Section[] {
  const { run, result, curation, samples, certificates, environment } = input;
  return [
    { title: "Result", content: results(input) },
    { title: "Samples", content: sampleContent(samples, figures) },
    { title: "Where AP is lost", content: evaluation(input) },
    { title: "Data", content: dataContent(curation) },
    { title: "Pseudo labels", content: pseudoLabelContent(result) },
    { title: "Gates", content: gates(result) },
    { title: "Training", content: trainingCurves(input.progress).map(curve) },
    { title: "Weights", content: weights(input) },
    {
      title: "Parity",
      content: certificates.length === 0 ? undefined : htmlTable(PARITY_CAPTION, parityTable(input)),
    },
    { title: "Cost", content: cost(input) },
    {
      title: "Reproduction",
      content: [
        html`<p>${REPRODUCTION}</p>`,
        htmlTextTable(ENVIRONMENT_CAPTION, environmentTable(environment)),
        htmlTextTable(ARTIFACT_CAPTION, artifactTable(result)),
        configuration(run),
      ],
    },
  ];
}

function heading(input: ReportInput): Html {
  const { run, result } = input;
  const took = formatDuration((run.finished_at.getTime() - run.created_at.getTime()) / 1000);
  return html`<header>
    <h1>${run.run_id}</h1>
    <p class="quiet">Started ${formatTime(run.created_at)}, took ${took}. Configuration <code>${result.config_hash.slice(0, 12)}</code>, seed ${run.config.seed}.</p>
    <p class="question">${question(input)}</p>
    <p class="claim">${comparison(result.arms)}</p>
  </header>`;
}

function results({ result, judged }: ReportInput): HtmlPart {
  const { arms } = result;
  const charts = apColumns(arms).map((columns) => {
    const groups = columns.map(([name, field]) => ({ name, values: arms.map((arm) => arm[field] ?? -1) }));
    return barChart({ title: "AP of each arm; the numbers are those of the table", groups, format: formatAp });
  });
  return [
    htmlTable("AP of each arm on the validation set, times 100", armTable(result)),
    pairedHtml(differences({ result, judged })),
    html`<figure class="wide">
      ${seriesLegend(arms.map((result) => armName(result, arms)))}
      ${charts}
    </figure>`,
    classes(classTable(result)),
  ];
}

/** Folded where there are so many that they would push everything else off the screen. */
function classes(perClass: Table): Html {
  const shown = htmlTable("AP of each class, times 100", perClass);
  if (perClass.rows.length <= MOST_OPEN_ROWS) return shown;
  return html`<details><summary>AP of each of the ${perClass.rows.length} classes</summary>${shown}</details>`;
}

function sampleContent(groups: readonly SampleGroup[], figures: readonly (readonly Html[])[]): HtmlPart {
  const images = groups.flatMap((group) => group.images);
  if (images.length === 0) return undefined;
  return [legend(images), groups.map((group, index) => sampleGroup(group, figures[index] ?? []))];
}

function sampleGroup({ title, columns }: SampleGroup, figures: readonly Html[]): Html {
  const inRows = columns === undefined ? "" : `grid-template-columns: repeat(${columns}, minmax(9rem, 1fr))`;
  return html`<h3>${title}</h3>
    <div class="samples scroll" style="${inRows}">${figures}</div>`;
}

function evaluation(input: ReportInput): HtmlPart {
  return input.judged.length === 0 ? undefined : [curveFigure(input), htmlTable(ERROR_CAPTION, errorTable(input))];
}

function dataContent({ fates, leaks }: ReportedCuration): HtmlPart {
  return [htmlTable("What became of the images", fateTable(fates)), leakFigures(leaks)];
}

function curve(training: TrainingCurve): Html {
  const { step, points } = training;
  const names = lossNames(points);
  const losses = names.map(
    (name): Series => ({ name, points: points.map((point) => [point.iteration, point.losses[name] ?? 0]) }),
  );
  const rate: Series = { name: "learning rate", points: points.map((point) => [point.iteration, point.learning_rate]) };
  return html`<article class="curve">
    <h3>${step}</h3>
    <p>${batchesOf(training)}</p>
    <figure>${seriesLegend(names, "Loss over iterations")}${lineChart({ title: `Losses of ${step} over iterations`, series: losses })}</figure>
    <figure>${seriesLegend([], "Learning rate over iterations")}${lineChart({ title: `Learning rate of ${step} over iterations`, series: [rate] })}</figure>
  </article>`;
}

function weights({ transplants }: ReportInput): HtmlPart {
  return transplants.length === 0 ? undefined : htmlTable(TRANSPLANT_CAPTION, transplantTable(transplants));
}

function cost({ result, planned, events }: ReportInput): HtmlPart {
  const spans = stepSpans(events);
  return [
    html`<p>${costSentence(costOf(result, planned))}</p>`,
    spans.length === 0 ? undefined : timeline(spans),
    htmlTable("Steps with the time that was planned, that of their work, and their keys", stepTable(result, planned)),
  ];
}

function gates(result: RunResult): HtmlPart {
  if (result.gates.length === 0) return undefined;
  return htmlTable("Limits between the stages on pseudo-labelers and pseudo labels", gateTable(result));
}

function configuration(run: ReportedRun): Html {
  return html`<details><summary>Configuration, all fields with defaults filled in</summary><pre>${configurationText(run)}</pre></details>`;
}
