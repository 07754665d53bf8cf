import { type Command, Option } from "commander";
import { openInBrowser } from "./browser.js";
import { jsonOption, workspaceHere, workspaceOption } from "./options.js";
import { findFinishedRun } from "./run-files.js";

interface ReportOptions {
  readonly workspace?: string;
  readonly open?: boolean;
  readonly json?: true;
}

export function addReport(program: Command): void {
  program
    .command("report")
    .description("Show where the report of a finished run is, and open it.")
    .argument("<run>", "id of the run, or `latest`")
    .addOption(workspaceOption("in the working folder"))
    .addOption(new Option("--open", "open it in the browser (default: in a terminal, yes)"))
    .addOption(new Option("--no-open", "do not open it"))
    .addOption(jsonOption())
    .action(report);
}

async function report(runId: string, { workspace, open, json }: ReportOptions): Promise<void> {
  const { run, html, markdown, json: data, result } = await findFinishedRun(workspaceHere(workspace), runId);
  const files = { run, html, markdown, json: data, result };
  console.log(json ? JSON.stringify(files) : [html, markdown, data].join("\n"));
  if (open ?? isForPeople()) await openInBrowser(html);
}

function isForPeople(): boolean {
  return process.stdout.isTTY && (process.env["CI"] ?? "") === "";
}
