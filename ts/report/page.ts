/** The report as one page of HTML. Pure functions. */
import { stringify } from "yaml";
import type { RunResult } from "../pipeline/pipeline.js";
import { armName } from "./arm-name.js";
import { barChart, lineChart, type Series, seriesLegend } from "./charts.js";
import { comparison } from "./comparison.js";
import { htmlDocument, htmlTable } from "./document.js";
import { formatAp, formatDuration, formatTime } from "./format.js";
import { type Html, html } from "./html.js";
import { leakFigures } from "./leaks.js";
import { pseudoLabelSection } from "./pseudo-labels.js";
import type { ReportedCuration, ReportedRun, ReportInput, SampleImage } from "./report-input.js";
import { legend } from "./samples.js";
import { apColumns, armTable, classTable, fateTable, gateTable, stepTable, type Table } from "./tables.js";
import { timeline } from "./timeline.js";
import { type StepSpan, stepSpans, type TrainingCurve, trainingCurves } from "./training-curves.js";
import { TRANSPLANT_CAPTION, type Transplant, transplantTable } from "./transplants.js";

const MOST_OPEN_ROWS = 12;

/** @param figures of the samples, in their order. */
export function page(
  { run, result, planned, events, progress, samples, curation, transplants }: ReportInput,
  figures: readonly Html[],
): Html {
  return htmlDocument(run.run_id, [
    heading(run, result),
    results(result),
    sampleSection(samples, figures),
    dataSection(curation),
    pseudoLabelSection(result),
    training(trainingCurves(progress), transplants),
    time(stepSpans(events), result, planned),
    gates(result),
    configuration(run),
  ]);
}

function heading(run: ReportedRun, { config_hash }: RunResult): Html {
  const took = formatDuration((run.finished_at.getTime() - run.created_at.getTime()) / 1000);
  return html`<header>
    <h1>${run.run_id}</h1>
    <p class="quiet">Started ${formatTime(run.created_at)}, took ${took}. Configuration <code>${config_hash.slice(0, 12)}</code>, seed ${run.config.seed}.</p>
  </header>`;
}

function results(result: RunResult): Html {
  const { arms } = result;
  const charts = apColumns(arms).map((columns) => {
    const groups = columns.map(([name, field]) => ({ name, values: arms.map((arm) => arm[field] ?? -1) }));
    return barChart({ title: "AP of each arm; the numbers are those of the table", groups, format: formatAp });
  });
  return html`<section>
    <h2>Result</h2>
    <p class="claim">${comparison(arms)}</p>
    ${htmlTable("AP of each arm on the validation set, times 100", armTable(result))}
    <figure class="wide">
      ${seriesLegend(arms.map((result) => armName(result, arms)))}
      ${charts}
    </figure>
    ${classes(classTable(result))}
  </section>`;
}

/** Folded where there are so many that they would push everything else off the screen. */
function classes(perClass: Table): Html {
  const shown = htmlTable("AP of each class, times 100", perClass);
  if (perClass.rows.length <= MOST_OPEN_ROWS) return shown;
  return html`<details><summary>AP of each of the ${perClass.rows.length} classes</summary>${shown}</details>`;
}

function sampleSection(samples: readonly SampleImage[], figures: readonly Html[]): Html {
  if (samples.length === 0) return html``;
  return html`<section>
    <h2>Samples</h2>
    ${legend(samples)}
    <div class="samples">${figures}</div>
  </section>`;
}

function dataSection({ fates, leaks }: ReportedCuration): Html {
  return html`<section>
    <h2>Data</h2>
    ${htmlTable("What became of the images", fateTable(fates))}
    ${leakFigures(leaks)}
  </section>`;
}

function training(curves: readonly TrainingCurve[], transplants: readonly Transplant[]): Html {
  return html`<section>
    <h2>Training</h2>
    ${curves.map(curve)}
    ${transplants.length === 0 ? undefined : htmlTable(TRANSPLANT_CAPTION, transplantTable(transplants))}
  </section>`;
}

function curve({ step, points }: TrainingCurve): Html {
  const names = [...new Set(points.flatMap(({ losses }) => Object.keys(losses)))].sort(totalFirst);
  const losses = names.map(
    (name): Series => ({ name, points: points.map((point) => [point.iteration, point.losses[name] ?? 0]) }),
  );
  const rate: Series = { name: "learning rate", points: points.map((point) => [point.iteration, point.learning_rate]) };
  return html`<article class="curve">
    <h3>${step}</h3>
    <figure>${seriesLegend(names, "Loss")}${lineChart({ title: `Losses of ${step} over iterations`, series: losses })}</figure>
    <figure>${seriesLegend([], "Learning rate")}${lineChart({ title: `Learning rate of ${step} over iterations`, series: [rate] })}</figure>
  </article>`;
}

function totalFirst(a: string, b: string): number {
  return Number(b === "total") - Number(a === "total") || (a < b ? -1 : 1);
}

function time(spans: readonly StepSpan[], result: RunResult, planned: ReportInput["planned"]): Html {
  return html`<section>
    <h2>Steps</h2>
    ${spans.length === 0 ? undefined : timeline(spans)}
    <details><summary>Table</summary>${htmlTable("Steps with the time of their work and their keys", stepTable(result, planned))}</details>
  </section>`;
}

function gates(result: RunResult): Html {
  if (result.gates.length === 0) return html``;
  return html`<section>
    <h2>Gates</h2>
    ${htmlTable("Limits between the stages on pseudo-labelers and pseudo labels", gateTable(result))}
  </section>`;
}

function configuration({ config }: ReportedRun): Html {
  return html`<section>
    <h2>Configuration</h2>
    <details><summary>All fields, defaults filled in</summary><pre>${stringify(config)}</pre></details>
  </section>`;
}
