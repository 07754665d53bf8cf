#!/usr/bin/env node
import { Command, CommanderError } from "commander";
import { CasslError } from "../core/errors.js";
import { version } from "../core/package.js";
import { addCancel } from "./cancel.js";
import { addCertify } from "./certify.js";
import { addCheck } from "./check.js";
import { addConvert } from "./convert.js";
import { addCurate } from "./curate.js";
import { addDoctor } from "./doctor.js";
import { addEval } from "./eval.js";
import { EXIT_USAGE, exitCodeOf } from "./exit-code.js";
import { describeFailure, failureJson } from "./failure.js";
import { addGc } from "./gc.js";
import { addInit } from "./init.js";
import { addLabels } from "./labels.js";
import { addPlan } from "./plan.js";
import { addPredict } from "./predict.js";
import { addReport } from "./report.js";
import { addRetry } from "./retry.js";
import { addRun } from "./run.js";
import { addRuns } from "./runs.js";
import { addSelect } from "./select.js";
import { addServe } from "./serve.js";
import { addSplit } from "./split.js";
import { addSubmit } from "./submit.js";
import { addTokenCommands } from "./token.js";
import { addWatch } from "./watch.js";

function createProgram(): Command {
  const program = new Command("cassl")
    .description("Train object detectors from few labels and many unlabeled images.")
    .version(version)
    .option("--debug", "show where an error comes from, and what workers write")
    .exitOverride()
    .showHelpAfterError("Add --help to see what there is.");
  const commands = [
    addInit,
    addCheck,
    addConvert,
    addCurate,
    addSplit,
    addPlan,
    addRun,
    addReport,
    addSelect,
    addLabels,
    addServe,
    addSubmit,
    addWatch,
    addCancel,
    addRetry,
    addRuns,
    addTokenCommands,
    addEval,
    addPredict,
    addCertify,
    addDoctor,
    addGc,
  ];
  for (const add of commands) add(program);
  return program;
}

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
  await createProgram().parseAsync();
} catch (error) {
  process.exitCode = fail(error, process);
}
