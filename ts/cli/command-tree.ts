/** The commands as data, for shell completion and the reference: what commander was told. */
import type { Argument, Command, Option } from "commander";

export interface CommandNode {
  /** Names from the first command on; empty for the program itself. */
  readonly path: readonly string[];
  readonly description: string;
  readonly options: readonly Option[];
  readonly arguments: readonly Argument[];
  readonly children: readonly CommandNode[];
}

export function commandTree(command: Command, path: readonly string[] = []): CommandNode {
  return {
    path,
    description: command.description(),
    options: command.options.filter(({ hidden }) => !hidden),
    arguments: command.registeredArguments,
    children: command.commands.map((child) => commandTree(child, [...path, child.name()])),
  };
}

/** The node and all below it, in the order of --help. */
export function allNodes(node: CommandNode): CommandNode[] {
  return [node, ...node.children.flatMap(allNodes)];
}

/** Whether the value of an option or argument is a file or folder, by what its placeholder is called. */
export function isPath(name: string): boolean {
  return /^(dir|file|folder|path|config|annotations|in|out|model|images|gt|dt)(\.\.\.)?$/.test(name);
}

/** `dir` of `--workspace <dir>`; empty for an option without a value. */
export function valueName({ flags }: Option): string {
  return /[<[]([^>\]]+)[>\]]/.exec(flags)?.[1] ?? "";
}
