/** Completion scripts of shells. Pure functions of the commands: nothing is started when the tab key is pressed. */
import type { Option } from "commander";
import { allNodes, type CommandNode, isPath, valueName } from "./command-tree.js";

export const SHELLS = ["bash", "zsh", "fish"] as const;

export type Shell = (typeof SHELLS)[number];

export function completionScript(shell: Shell, root: CommandNode): string {
  switch (shell) {
    case "bash":
      return bashScript(root);
    case "zsh":
      return zshScript(root);
    case "fish":
      return fishScript(root);
  }
}

const nameOf = ({ path }: CommandNode): string => path.at(-1) ?? "";
const commandsBelow = (root: CommandNode): CommandNode[] => allNodes(root).filter((node) => node !== root);
const longFlags = ({ options }: CommandNode): string[] => [...options.flatMap(({ long }) => long ?? []), "--help"];

/** One word of the shell, whatever is in it. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

function bashScript(root: CommandNode): string {
  const groups = root.children.filter(({ children }) => children.length > 0).map(nameOf);
  const cases = commandsBelow(root).flatMap((node) => bashCases(node));
  return `# bash completion of cassl: eval "$(cassl completion bash)"
_cassl() {
  local current=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD-1]} command="" words=""
  ((COMP_CWORD > 1)) && command=\${COMP_WORDS[1]}
  case $command in
    ${groups.join("|")}) ((COMP_CWORD > 2)) && command="$command \${COMP_WORDS[2]}" ;;
  esac
  COMPREPLY=()
  case "$command $previous" in
${cases.join("\n")}
  esac
  case $command in
    "") words=${quoted([...root.children.map(nameOf), ...longFlags(root)].join(" "))} ;;
${commandsBelow(root).map(bashWords).join("\n")}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o default -F _cassl cassl
`;
}

/** What follows an option with a value: one of its choices, or what the shell itself completes, which is files. */
function bashCases({ path, options }: CommandNode): string[] {
  return options
    .filter((option) => option.long !== undefined && valueName(option) !== "")
    .map((option) => {
      const choices = quoted((option.argChoices ?? []).join(" "));
      const reply = option.argChoices === undefined ? "" : `COMPREPLY=($(compgen -W ${choices} -- "$current")); `;
      return `    ${quoted(`${path.join(" ")} ${option.long}`)}) ${reply}return ;;`;
    });
}

/** Options where one is begun; the commands below, or the choices of the first argument. */
function bashWords(node: CommandNode): string {
  const others = [...node.children.map(nameOf), ...(node.arguments[0]?.argChoices ?? [])].join(" ");
  const flags = longFlags(node).join(" ");
  return `    ${quoted(node.path.join(" "))}) if [[ $current == -* ]]; then words=${quoted(flags)}; else words=${quoted(others)}; fi ;;`;
}

function zshScript(root: CommandNode): string {
  return `#compdef cassl
# zsh completion of cassl: cassl completion zsh > "\${fpath[1]}/_cassl"
${zshFunction(root)}
compdef _cassl cassl
`;
}

/** A function for the command, and before it those of the commands below it. */
function zshFunction(node: CommandNode): string {
  const name = ["_cassl", ...node.path].join("_");
  const specs = [...node.options.map(zshOption), `'--help[display help for command]'`];
  if (node.children.length === 0) {
    const values = node.arguments.map((argument) => {
      const name = argument.name();
      return quoted(`${argument.variadic ? "*" : ""}:${name}:${zshValues(argument.argChoices, name)}`);
    });
    return `${name}() {\n  _arguments ${[...specs, ...values].join(" \\\n    ")}\n}`;
  }
  const commands = node.children.map((child) => quoted(`${nameOf(child)}:${firstSentence(child.description)}`));
  return `${node.children.map(zshFunction).join("\n")}
${name}() {
  local state
  local -a commands=(
    ${commands.join("\n    ")}
  )
  _arguments -C ${specs.join(" \\\n    ")} \\
    '1:command:->command' '*::argument:->argument'
  case $state in
    command) _describe command commands ;;
    argument) (( $+functions[${name}_$words[1]] )) && ${name}_$words[1] ;;
  esac
}`;
}

function zshOption(option: Option): string {
  const description = firstSentence(option.description).replace(/[[\]]/g, "\\$&");
  const value = valueName(option);
  const repeatable = option.variadic || option.description.includes("repeatable") ? "*" : "";
  return quoted(
    `${repeatable}${option.long}[${description}]${value === "" ? "" : `:${value}:${zshValues(option.argChoices, value)}`}`,
  );
}

function zshValues(choices: readonly string[] | undefined, name: string): string {
  if (choices !== undefined) return `(${choices.join(" ")})`;
  return isPath(name) ? "_files" : "";
}

function fishScript(root: CommandNode): string {
  const top = root.children.map((child) => fishCommand("__fish_use_subcommand", child));
  const below = root.children.flatMap(({ children, path }) =>
    children.map((child) => fishCommand(`__fish_seen_subcommand_from ${path.join(" ")}`, child)),
  );
  const options = commandsBelow(root).flatMap((node) => node.options.map((option) => fishOption(node, option)));
  const choices = commandsBelow(root).flatMap((node) => {
    const values = node.arguments[0]?.argChoices;
    return values === undefined
      ? []
      : [`complete -c cassl -f -n ${fishCondition(node)} -a ${quoted(values.join(" "))}`];
  });
  return `# fish completion of cassl: cassl completion fish > ~/.config/fish/completions/cassl.fish
${[...top, ...below, ...options, ...choices].join("\n")}
`;
}

function fishCommand(condition: string, child: CommandNode): string {
  return `complete -c cassl -f -n ${quoted(condition)} -a ${nameOf(child)} -d ${fishQuoted(firstSentence(child.description))}`;
}

function fishOption(node: CommandNode, option: Option): string {
  const value = valueName(option);
  const choices = option.argChoices === undefined ? "" : ` -f -a ${quoted(option.argChoices.join(" "))}`;
  const needsValue = value === "" ? " -f" : ` -r${choices}`;
  const description = fishQuoted(firstSentence(option.description));
  return `complete -c cassl -n ${fishCondition(node)} -l ${(option.long ?? "").slice(2)}${needsValue} -d ${description}`;
}

function fishCondition({ path }: CommandNode): string {
  return quoted(path.map((name) => `__fish_seen_subcommand_from ${name}`).join("; and "));
}

/** Within single quotes fish knows two escapes. */
function fishQuoted(text: string): string {
  return `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
}

function firstSentence(text: string): string {
  return /^.*?[^.](?=\.(\s|$)|;|$)/.exec(text)?.[0] ?? text;
}
