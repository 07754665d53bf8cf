/** The report as Markdown: what belongs into an issue or a notebook. Pure functions. */
import { stringify } from "yaml";
import { comparison, RESULT_COLUMNS, resultRows } from "./comparison.js";
import { formatDuration, formatNumber, formatTime } from "./format.js";
import type { ReportInput } from "./report-input.js";

export function markdownReport({ run, result }: ReportInput): string {
  const took = formatDuration((run.finished_at.getTime() - run.created_at.getTime()) / 1000);
  const steps = result.steps.map(({ name, reused, seconds }) => [name, formatDuration(seconds), reused ? "reused" : ""]);
  const gates = result.gates.map(({ name, value, limit, passed }) => {
    return [name, formatNumber(value), formatNumber(limit), passed ? "passed" : "failed"];
  });
  return [
    `# ${escapeMarkdown(run.run_id)}`,
    `Started ${formatTime(run.created_at)}, took ${took}. Configuration \`${result.config_hash.slice(0, 12)}\`, seed ${run.config.seed}.`,
    table(RESULT_COLUMNS, resultRows(result.arms)),
    comparison(result.arms),
    "## Steps",
    table(["step", "time of the work", ""], steps),
    ...(gates.length === 0 ? [] : ["## Gates", table(["gate", "value", "limit", ""], gates)]),
    "## Configuration",
    fenced(stringify(run.config).trimEnd()),
    "",
  ].join("\n\n").trimEnd() + "\n";
}

function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
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
