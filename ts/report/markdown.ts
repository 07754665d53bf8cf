/** The report as Markdown: what belongs into an issue or a notebook. Pure functions. */
import type { RunResult } from "../pipeline/pipeline.js";
import { PARITY_CAPTION, parityTable } from "./certificates.js";
import { comparison } from "./comparison.js";
import { costOf, costSentence } from "./cost.js";
import { DIFFERENCE_CAPTION, differences, ERROR_CAPTION, errorTable, pairedTable } from "./evaluation.js";
import { formatDuration, formatTime } from "./format.js";
import { leakSentence } from "./leaks.js";
import { ARTIFACT_CAPTION, artifactTable, configurationText, environmentTable, REPRODUCTION } from "./manifest.js";
import { thresholdCaption, thresholdNotes } from "./pseudo-labels.js";
import { question } from "./question.js";
import type { ReportInput } from "./report-input.js";
import { armTable, classTable, fateTable, gateTable, roundTable, stepTable, type Table } from "./tables.js";
import { TRANSPLANT_CAPTION, transplantTable } from "./transplants.js";

export function markdownReport(input: ReportInput): string {
  const { run, result, planned, curation, transplants, certificates, environment } = input;
  const took = formatDuration((run.finished_at.getTime() - run.created_at.getTime()) / 1000);
  const paired = differences(input);
  const section = (title: string, isShown: boolean, ...content: string[]): string[] =>
    isShown ? [`## ${title}`, ...content] : [];
  return [
    `# ${escapeMarkdown(run.run_id)}`,
    `Started ${formatTime(run.created_at)}, took ${took}. Configuration \`${result.config_hash.slice(0, 12)}\`, seed ${run.config.seed}.`,
    question(input),
    comparison(result.arms),
    markdownTable(armTable(result)),
    ...(paired.length === 0 ? [] : [`${DIFFERENCE_CAPTION}.`, markdownTable(pairedTable(paired))]),
    ...section("Classes", true, markdownTable(classTable(result))),
    ...section("Where AP is lost", input.judged.length > 0, `${ERROR_CAPTION}.`, markdownTable(errorTable(input))),
    ...section("Data", true, markdownTable(fateTable(curation.fates)), leakSentence(curation.leaks)),
    ...pseudoLabels(result),
    ...section("Gates", result.gates.length > 0, markdownTable(gateTable(result))),
    ...section(
      "Weights",
      transplants.length > 0,
      `${TRANSPLANT_CAPTION}.`,
      markdownTable(transplantTable(transplants)),
    ),
    ...section("Parity", certificates.length > 0, `${PARITY_CAPTION}.`, markdownTable(parityTable(input))),
    ...section("Cost", true, costSentence(costOf(result, planned)), markdownTable(stepTable(result, planned))),
    "## Reproduction",
    REPRODUCTION,
    markdownTable(environmentTable(environment)),
    `${ARTIFACT_CAPTION}.`,
    markdownTable(artifactTable(result)),
    `${fenced(configurationText(run))}\n`,
  ].join("\n\n");
}

function pseudoLabels(result: RunResult): string[] {
  if (result.arms.every(({ rounds }) => rounds.length === 0)) return [];
  const notes = thresholdNotes(result).map(escapeMarkdown);
  return ["## Pseudo labels", `${thresholdCaption(result)}.`, markdownTable(roundTable(result)), ...notes];
}

export function markdownTable({ header, rows }: Table): string {
  const line = (cells: readonly string[]): string => `| ${cells.map(escapeMarkdown).join(" | ")} |`;
  return [line(header), line(header.map(() => "---")), ...rows.map(line)].join("\n");
}

/** A line break would end a row of a table, or a heading. */
function escapeMarkdown(text: string): string {
  return text.replace(/\s+/g, " ").replace(/[\\|<>*`[\]]/g, "\\$&");
}

/** A code block whose fence is longer than any in the text. */
function fenced(text: string): string {
  const longest = Math.max(2, ...(text.match(/`+/g) ?? []).map((run) => run.length));
  const fence = "`".repeat(longest + 1);
  return `${fence}yaml\n${text}\n${fence}`;
}
