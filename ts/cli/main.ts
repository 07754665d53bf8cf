#!/usr/bin/env node
import { CommanderError } from "commander";
import { CasslError } from "../core/errors.js";
import { addCommands } from "./commands.js";
import { EXIT_USAGE, exitCodeOf } from "./exit-code.js";
import { describeFailure, failureJson } from "./failure.js";
import { createProgram } from "./program.js";

/** The exit code of a failed command, which has been told about. */
function fail(error: unknown, { argv }: NodeJS.Process): number {
  // commander has written its message itself; --help and --version end this way too, with code 0.
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : EXIT_USAGE;
  const failure = CasslError.from(error);
  console.error(describeFailure(failure, argv.includes("--debug")));
  if (argv.includes("--json")) console.log(failureJson(failure));
  return exitCodeOf(failure.reason);
}

// Whoever reads the output may stop before its end, as `head` does.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
});

try {
  const program = createProgram();
  await addCommands(program, process.argv.slice(2));
  await program.parseAsync();
} catch (error) {
  process.exitCode = fail(error, process);
}
