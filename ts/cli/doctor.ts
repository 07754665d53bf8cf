import { execFile } from "node:child_process";
import { access, constants, statfs } from "node:fs/promises";
import { dirname } from "node:path";
import { promisify } from "node:util";
import type { Command } from "commander";
import { choosePython } from "../controller/worker-process.js";
import { installWorker, packageRoot, version } from "../core/package.js";
import { EXIT_FAILED } from "./exit-code.js";
import { jsonOption, pythonOption, workspaceHere, workspaceOption } from "./options.js";
import { inspectDetectron2, inspectWorker } from "./worker-packages.js";

interface DoctorOptions {
  readonly workspace?: string;
  readonly python?: string;
  readonly json?: true;
}

interface Finding {
  readonly check: string;
  readonly ok: boolean;
  readonly detail: string;
  /** What to do, where something is wrong. */
  readonly remedy?: string;
}

const LEAST_NODE = 20;
const NATIVE_PACKAGES = ["@photostructure/sqlite", "onnxruntime-node", "sharp", "zeromq"] as const;
const INSTALL_NATIVE = "Run `npm ci`, or `npm install` where cassl is a dependency.";
const LEAST_FREE_BYTES = 2 * 2 ** 30;

export function addDoctor(program: Command): void {
  program
    .command("doctor")
    .description("Check that everything a run needs is installed and works.")
    .addOption(workspaceOption("in the working folder"))
    .addOption(pythonOption())
    .addOption(jsonOption())
    .action(doctor);
}

async function doctor({ workspace, python, json }: DoctorOptions): Promise<void> {
  const findings = [
    checkNode(),
    await checkNativePackages(),
    await checkWorkspace(workspaceHere(workspace)),
    ...(await checkWorker(choosePython(python))),
  ];
  for (const finding of findings) console.log(json ? JSON.stringify(finding) : describe(finding));
  if (findings.some(({ ok }) => !ok)) process.exitCode = EXIT_FAILED;
}

function describe({ check, ok, detail, remedy }: Finding): string {
  const line = `${ok ? "ok    " : "FAILED"}  ${check}: ${detail}`;
  return remedy === undefined ? line : `${line}\n        ${remedy}`;
}

function found(check: string, ok: boolean, detail: string, remedy: string): Finding {
  return { check, ok, detail, ...(ok ? {} : { remedy }) };
}

function checkNode(): Finding {
  const { node } = process.versions;
  const ok = Number(node.split(".")[0]) >= LEAST_NODE;
  return found("node", ok, `${node}, cassl ${version} in ${packageRoot}`, `Install Node ${LEAST_NODE} or newer.`);
}

/** In a process of their own, which a package that does not fit this machine may take down. */
async function checkNativePackages(): Promise<Finding> {
  const imports = NATIVE_PACKAGES.map((name) => `await import("${name}");`).join("");
  try {
    await promisify(execFile)(process.execPath, ["--input-type=module", "-e", imports], { cwd: packageRoot });
    return found("native packages", true, NATIVE_PACKAGES.join(", "), "");
  } catch (error) {
    return found(
      "native packages",
      false,
      lastLine((error as { stderr?: string }).stderr ?? String(error)),
      INSTALL_NATIVE,
    );
  }
}

async function checkWorkspace(workspace: string): Promise<Finding> {
  const remedy = "Free some space, or choose another folder with --workspace.";
  try {
    const folder = await existingFolder(workspace);
    await access(folder, constants.W_OK);
    const { bavail, bsize } = await statfs(folder);
    const freeBytes = bavail * bsize;
    const detail = `${workspace}, ${(freeBytes / 2 ** 30).toFixed(1)} GiB free`;
    return found("workspace", freeBytes >= LEAST_FREE_BYTES, detail, remedy);
  } catch (error) {
    return found("workspace", false, (error as Error).message, remedy);
  }
}

/** The folder, or the nearest one above it that is there. */
async function existingFolder(folder: string): Promise<string> {
  const isThere = await access(folder).then(
    () => true,
    () => false,
  );
  return isThere ? folder : existingFolder(dirname(folder));
}

async function checkWorker(python: string): Promise<Finding[]> {
  try {
    const { version: pythonVersion, isNewEnough, packages } = await inspectWorker(python);
    const missing = packages.filter((one) => one.version === null).map(({ name }) => name);
    const detail =
      missing.length > 0
        ? `missing: ${missing.join(", ")}`
        : packages.map((one) => `${one.name} ${one.version}`).join(", ");
    const remedy = `${installWorker} For a Python of your own: ${python} -m pip install ${missing.join(" ")}`;
    return [
      found(
        "python",
        isNewEnough,
        `${pythonVersion}, ${python}`,
        "Install Python 3.11 or newer, or name one with --python.",
      ),
      found("worker", missing.length === 0, detail, remedy),
      ...(missing.length === 0 ? [await checkDetectron2(python)] : []),
    ];
  } catch (error) {
    return [
      found(
        "python",
        false,
        `${python} cannot be run: ${lastLine((error as Error).message)}`,
        `${installWorker} Or name a Python with --python.`,
      ),
    ];
  }
}

/** Nothing is wrong where it is not installed: only its own families need it. */
async function checkDetectron2(python: string): Promise<Finding> {
  const { install, found: detectron2 } = await inspectDetectron2(python);
  if (detectron2 === null) return found("detectron2", true, `not installed; its families need it: ${install}`, "");
  const { version: release, file, has_extension, has_model_zoo, fault } = detectron2;
  if (fault !== "")
    return found("detectron2", false, `it cannot be imported: ${fault}`, `Install it again: ${install}`);
  const extension = has_extension ? "with _C" : "without _C: no rotated boxes, no deformable convolutions";
  return found(
    "detectron2",
    true,
    `${release}, ${file}, ${extension}, ${has_model_zoo ? "with" : "without"} model zoo`,
    "",
  );
}

function lastLine(text: string): string {
  return text.trim().split("\n").at(-1) ?? "";
}
