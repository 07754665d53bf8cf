import type { Command } from "commander";
import { choosePython } from "../controller/worker-process.js";
import { checkMachine } from "./doctor-machine.js";
import { checkPython } from "./doctor-python.js";
import { EXIT_FAILED } from "./exit-code.js";
import type { Finding } from "./finding.js";
import { jsonOption, pythonOption, workspaceHere, workspaceOption } from "./options.js";

interface DoctorOptions {
  readonly workspace?: string;
  readonly python?: string;
  readonly json?: true;
}

export function addDoctor(program: Command): void {
  program
    .command("doctor")
    .description("Check that everything a run needs is installed and works, and say what to do where not.")
    .addOption(workspaceOption("in the working folder"))
    .addOption(pythonOption())
    .addOption(jsonOption())
    .action(doctor);
}

async function doctor({ workspace, python, json }: DoctorOptions): Promise<void> {
  const findings: Finding[] = [];
  const all = [checkMachine(workspaceHere(workspace)), checkPython(choosePython(python))];
  for (const checks of all) {
    for await (const found of checks) {
      findings.push(found);
      console.log(json ? JSON.stringify(found) : describe(found));
    }
  }
  if (findings.some(({ ok }) => !ok)) process.exitCode = EXIT_FAILED;
}

function describe({ check, ok, detail, remedy }: Finding): string {
  const line = `${ok ? "ok    " : "FAILED"}  ${check}: ${detail}`;
  return remedy === undefined ? line : `${line}\n        ${remedy}`;
}
