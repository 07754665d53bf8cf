/** The report of a finished run: report.html, one file that needs nothing beside it, report.md, and report.json for programs. */
import { join } from "node:path";
import { markdownReport } from "./markdown.js";
import { page } from "./page.js";
import type { ReportInput } from "./report-input.js";
import { reportJson } from "./report-json.js";
import { groupFigures } from "./samples.js";
import { writeWhole } from "./write-whole.js";

export { armName } from "./arm-name.js";
export { BOOTSTRAP } from "./evaluation.js";
export type {
  Environment,
  ReportedCuration,
  ReportedRun,
  ReportInput,
  SampleBox,
  SampleGroup,
  SampleImage,
} from "./report-input.js";
export type { ReportJson } from "./report-json.js";
export { parseTransplant, type Transplant } from "./transplants.js";

/** Writes the files into a folder that is there. Each appears when it is whole. */
export async function writeReport(input: ReportInput, directory: string): Promise<void> {
  const figures = await groupFigures(input.samples);
  await writeWhole(join(directory, "report.json"), `${JSON.stringify(reportJson(input), null, 2)}\n`);
  await writeWhole(join(directory, "report.md"), markdownReport(input));
  await writeWhole(join(directory, "report.html"), page(input, figures).html);
}
