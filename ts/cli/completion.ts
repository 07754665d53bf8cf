import { Argument, type Command } from "commander";
import { commandTree } from "./command-tree.js";
import { completionScript, SHELLS, type Shell } from "./completion-scripts.js";

export function addCompletion(program: Command): void {
  program
    .command("completion")
    .description("Print the script that lets a shell complete commands, options and their values.")
    .addArgument(new Argument("<shell>", "the shell").choices(SHELLS))
    .action((shell: Shell) => {
      process.stdout.write(completionScript(shell, commandTree(program)));
    });
}
