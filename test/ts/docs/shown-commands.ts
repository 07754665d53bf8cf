/** The commands that the documentation shows. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { packageRoot } from "../../../ts/core/package.js";

export interface ShownCommand {
  readonly file: string;
  /** On one line, without what is said of it beside it. */
  readonly line: string;
}

const PROGRAM =
  /^(?: {4}|\$ )?((?:[A-Z_]+=\S+ )*(?:npx|npm|node|python3?|cassl-worker|sbatch|ray|docker|kubectl|pip|openssl|docker\/setup\.sh|\.venv\/bin\/python) .*)$/;
const PAGES = ["README.md", "CONTRIBUTING.md", "worker-py/README.md", ...markdownIn("docs")];

/** Those in indented or fenced code of README, CONTRIBUTING and docs/. */
export function shownCommands(): ShownCommand[] {
  return PAGES.flatMap((file) =>
    commandsIn(readFileSync(join(packageRoot, file), "utf8")).map((line) => ({ file, line })),
  );
}

/** A line that goes on after a backslash is one; what follows two or more spaces or a `#` explains. */
export function commandsIn(text: string): string[] {
  return text
    .replace(/\s*\\\n\s*/g, " ")
    .split("\n")
    .flatMap((line) => PROGRAM.exec(line)?.[1] ?? [])
    .map((command) => command.split(/ {2,}| # /)[0]?.trim() ?? "");
}

function markdownIn(folder: string): string[] {
  return readdirSync(join(packageRoot, folder))
    .filter((name) => name.endsWith(".md"))
    .map((name) => `${folder}/${name}`);
}
