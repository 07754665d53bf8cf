/** Lines as users type them, parsed by the real commands, of which none is run. */
import type { Command } from "commander";
import { addCommands } from "../../../ts/cli/commands.js";
import { createProgram } from "../../../ts/cli/program.js";

export async function loadedProgram(): Promise<Command> {
  const program = createProgram();
  await addCommands(program, []);
  return program;
}

/** Throws what commander has to say of a line that is none of its. @param line `cassl run cassl.yaml > log`, without what the shell does. */
export async function parseOnly(line: string): Promise<void> {
  const program = await loadedProgram();
  disarm(program);
  await program.parseAsync(wordsOf(line).slice(1), { from: "user" });
}

function disarm(command: Command): void {
  command.exitOverride().configureOutput({ writeOut: () => {}, writeErr: () => {} });
  for (const child of command.commands) disarm(child);
  if (command.commands.length === 0) command.action(() => {});
}

/** As a shell splits them, up to where its own signs begin. */
export function wordsOf(line: string): string[] {
  const [command = ""] = line.split(/;|\s[|&]|\s>>?\s/, 1);
  return [...command.matchAll(/'([^']*)'|"([^"]*)"|(\S+)/g)].map(
    ([, single, double, bare]) => single ?? double ?? bare ?? "",
  );
}
