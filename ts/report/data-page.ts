/** The check of a data set as one page of HTML. */
import { join } from "node:path";
import type { DataCheck } from "../data/check/check-data.js";
import type { Example, Finding } from "../data/check/findings.js";
import { boxAt } from "../data/formats/object-table.js";
import { barChart, shareBar } from "./charts.js";
import { binName, classCountTable, describeCounts, verdict } from "./data-tables.js";
import { htmlDocument, htmlTableOf } from "./document.js";
import { type Html, html } from "./html.js";
import type { SampleImage } from "./report-input.js";
import { sampleFigures } from "./samples.js";
import { writeWhole } from "./write-whole.js";

const MOST_SHOWN = 5;
const MOST_FIGURES = 12;
const FIGURES_OF_A_KIND = 3;

/** Writes the page as a whole, with examples of what was found drawn where the images are known. */
export async function writeDataPage(check: DataCheck, file: string): Promise<void> {
  await writeWhole(file, dataPage(check, await figuresOf(check)).html);
}

function dataPage(check: DataCheck, figures: readonly Html[]): Html {
  return htmlDocument(`${check.source}: check`, [
    html`<header>
      <h1>${check.source}</h1>
      <p class="quiet">${check.format}: ${describeCounts(check)}. ${check.image_folder === undefined ? "The images were not looked at." : `Images in ${check.image_folder}.`}</p>
      <p class="claim">${verdict(check)}.</p>
    </header>`,
    findingSection(check.findings),
    figures.length === 0 ? html`` : html`<section><h2>Examples</h2><div class="samples">${figures}</div></section>`,
    classSection(check),
    sizeSection(check),
  ]);
}

function findingSection(findings: readonly Finding[]): Html {
  const rows = findings.map(({ severity, count, what, examples }) => [
    severity,
    count,
    html`<details><summary>${what}</summary>${examples.slice(0, MOST_SHOWN).map(({ text }) => html`<p>${text}</p>`)}</details>`,
  ]);
  return html`<section class="findings">
    <h2>Findings</h2>
    ${htmlTableOf("What is wrong (error), what probably is (warning), and what is good to know (note)", ["", "count", "what"], rows)}
  </section>`;
}

function classSection(check: DataCheck): Html {
  const { header, rows } = classCountTable(check);
  const counts = check.statistics.classes.map(({ objects }) => objects);
  const most = counts.reduce((largest, count) => Math.max(largest, count), 1);
  const withBars = rows.map((cells, index) => [...cells, shareBar((counts[index] as number) / most)]);
  return html`<section>
    <h2>Classes</h2>
    ${htmlTableOf("Objects and images of each class", [...header, ""], withBars)}
  </section>`;
}

function sizeSection({ statistics: { sizes } }: DataCheck): Html {
  const groups = sizes.map(({ objects }, index) => ({ name: binName(sizes, index), values: [objects] }));
  return html`<section>
    <h2>Sizes</h2>
    <figure class="wide">
      <figcaption class="legend">Objects by the square root of the area of their box, px</figcaption>
      ${barChart({ title: "Objects by the square root of the area of their box in px", groups, format: String })}
    </figure>
  </section>`;
}

/** A few examples of each kind of finding that is about boxes. Images that cannot be drawn are findings themselves. */
async function figuresOf({ findings, image_folder, set }: DataCheck): Promise<Html[]> {
  if (image_folder === undefined) return [];
  const samples = findings.flatMap(({ what, examples }) =>
    examples
      .filter(({ objects }) => objects !== undefined)
      .slice(0, FIGURES_OF_A_KIND)
      .map((example) => sampleOf(set, image_folder, what, example)),
  );
  const figures = await Promise.all(
    samples.slice(0, MOST_FIGURES).map((sample) => sampleFigures([sample]).catch((): Html[] => [])),
  );
  return figures.flat();
}

function sampleOf(set: DataCheck["set"], folder: string, what: string, { image, objects = [] }: Example): SampleImage {
  const { file_name, width_px, height_px } = set.images[image as number] as DataCheck["set"]["images"][number];
  const boxes = objects.map((object) => {
    const label = set.categories[set.objects.classIndices[object] as number]?.name ?? "";
    return { box_xywh: boxAt(set.objects, object), label, kind: "ground_truth" } as const;
  });
  return { title: `${file_name}: ${what}`, image_path: join(folder, file_name), width_px, height_px, boxes };
}
