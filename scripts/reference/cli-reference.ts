/** Every command with its arguments, options and examples, from what commander was told. */
import type { Argument, Option } from "commander";
import { allNodes, type CommandNode } from "../../ts/cli/command-tree.js";
import { EXAMPLES } from "../../ts/cli/examples.js";
import { code, page, plain, table } from "./markdown.js";

export function cliReference(root: CommandNode): string {
  const commands = allNodes(root).filter(({ children }) => children.length === 0);
  return page(
    "# Commands",
    `${plain(root.description)} \`npx cassl COMMAND --help\` says the same in a terminal.`,
    table(
      ["command", ""],
      commands.map(({ path, description }) => [`[\`${path.join(" ")}\`](#${anchorOf(path)})`, plain(description)]),
    ),
    "Every command takes `--help`, and before its name `--debug`. Exit codes: 0 done, 1 the work failed, 2 usage, configuration or data error, 3 stopped by a gate, 130 interrupted and resumable.",
    ...commands.map(commandSection),
  );
}

function anchorOf(path: readonly string[]): string {
  return ["cassl", ...path].join("-");
}

function commandSection({ path, description, arguments: taken, options }: CommandNode): string {
  const usage = ["npx cassl", ...path, ...(options.length > 0 ? ["[options]"] : []), ...taken.map(placeholder)].join(
    " ",
  );
  const examples = (EXAMPLES[path.join(" ")] ?? []).map((line) => `    npx ${line}`).join("\n");
  return page(
    `## cassl ${path.join(" ")}`,
    `    ${usage}`,
    plain(description),
    table(["argument", "", "default"], taken.map(argumentRow)),
    table(["option", "", "default"], options.map(optionRow)),
    examples === "" ? "" : `Examples:\n\n${examples}`,
  );
}

function placeholder(argument: Argument): string {
  const name = `${argument.name()}${argument.variadic ? "..." : ""}`;
  return argument.required ? `<${name}>` : `[${name}]`;
}

function argumentRow(argument: Argument): string[] {
  const text = describe(argument.description, argument.argChoices);
  return [code(placeholder(argument)), text, defaultText(argument.defaultValue, undefined)];
}

function optionRow({
  flags,
  description,
  argChoices,
  defaultValue,
  defaultValueDescription,
  envVar,
  mandatory,
}: Option): string[] {
  const notes = [...(envVar === undefined ? [] : [`or \`$${envVar}\``]), ...(mandatory ? ["must be given"] : [])];
  const text = [describe(description, argChoices), ...notes].join("; ");
  return [code(flags), text, defaultText(defaultValue, defaultValueDescription)];
}

function describe(description: string, choices: readonly string[] | undefined): string {
  return plain(description) + (choices === undefined ? "" : `: ${choices.map(code).join(", ")}`);
}

/** Of a flag that is off nothing is said. */
function defaultText(value: unknown, description: string | undefined): string {
  if (description !== undefined) return code(description);
  if (value === undefined || value === false) return "";
  return code(typeof value === "string" ? value : JSON.stringify(value));
}
