/** The report of a finished run: report.html, one file that needs nothing beside it, and report.md. */
import { join } from "node:path";
import { markdownReport } from "./markdown.js";
import { page } from "./page.js";
import type { ReportInput } from "./report-input.js";
import { sampleFigures } from "./samples.js";
import { writeWhole } from "./write-whole.js";

export type { ReportedCuration, ReportedRun, ReportInput, SampleBox, SampleImage } from "./report-input.js";
export { parseTransplant, type Transplant } from "./transplants.js";

/** Writes both files into a folder that is there. Each appears when it is whole. */
export async function writeReport(input: ReportInput, directory: string): Promise<void> {
  const figures = await sampleFigures(input.samples);
  await writeWhole(join(directory, "report.md"), markdownReport(input));
  await writeWhole(join(directory, "report.html"), page(input, figures).html);
}
