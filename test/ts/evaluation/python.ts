/** The project's Python, for tests that compare with the references themselves. */
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { packageRoot } from "../../../ts/core/package.js";

const python = join(packageRoot, ".venv/bin/python");

/** Why a test that imports a Python package cannot run, or undefined if it can. */
export function missingPython(packageName: string): string | undefined {
  try {
    execFileSync(python, ["-c", `import ${packageName}`], { stdio: "ignore" });
    return undefined;
  } catch {
    return `${python} with ${packageName} is not installed`;
  }
}

/** Standard output of scripts/golden.py. */
export function runGolden(...args: string[]): string {
  return runScript("golden.py", ...args);
}

/** Standard output of a Python file in scripts/. */
export function runScript(name: string, ...args: string[]): string {
  const options = { encoding: "utf8", maxBuffer: 2 ** 28 } as const;
  return execFileSync(python, [join(packageRoot, "scripts", name), ...args], options);
}

/** Standard output of a script, without its last line break. */
export function runPython(script: string, ...args: string[]): string {
  return execFileSync(python, ["-c", script, ...args], { encoding: "utf8" }).trimEnd();
}
