/** The report as Markdown: what belongs into an issue or a notebook. Pure functions. */
import { stringify } from "yaml";
import type { RunResult } from "../pipeline/pipeline.js";
import { comparison } from "./comparison.js";
import { formatDuration, formatTime } from "./format.js";
import { leakSentence } from "./leaks.js";
import { thresholdCaption, thresholdNotes } from "./pseudo-labels.js";
import type { ReportInput } from "./report-input.js";
import { armTable, classTable, fateTable, gateTable, roundTable, stepTable, type Table } from "./tables.js";
import { TRANSPLANT_CAPTION, transplantTable } from "./transplants.js";

export function markdownReport({ run, result, planned, curation, transplants }: ReportInput): string {
  const took = formatDuration((run.finished_at.getTime() - run.created_at.getTime()) / 1000);
  return [
    `# ${escapeMarkdown(run.run_id)}`,
    `Started ${formatTime(run.created_at)}, took ${took}. Configuration \`${result.config_hash.slice(0, 12)}\`, seed ${run.config.seed}.`,
    markdownTable(armTable(result)),
    comparison(result.arms),
    "## Classes",
    markdownTable(classTable(result)),
    "## Data",
    markdownTable(fateTable(curation.fates)),
    leakSentence(curation.leaks),
    ...pseudoLabels(result),
    ...(transplants.length === 0
      ? []
      : ["## Weights", `${TRANSPLANT_CAPTION}.`, markdownTable(transplantTable(transplants))]),
    "## Steps",
    markdownTable(stepTable(result, planned)),
    ...(result.gates.length === 0 ? [] : ["## Gates", markdownTable(gateTable(result))]),
    "## Configuration",
    `${fenced(stringify(run.config).trimEnd())}\n`,
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

function escapeMarkdown(text: string): string {
  return text.replace(/[\\|<>*`[\]]/g, "\\$&");
}

/** A code block whose fence is longer than any in the text. */
function fenced(text: string): string {
  const longest = Math.max(2, ...(text.match(/`+/g) ?? []).map((run) => run.length));
  const fence = "`".repeat(longest + 1);
  return `${fence}yaml\n${text}\n${fence}`;
}
