import { existsSync, readFileSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

interface PackageJson {
  readonly name: string;
  readonly version: string;
}

/** The folder that holds package.json and worker-py/, whether this file runs compiled or not. */
export const packageRoot: string = findRoot(dirname(fileURLToPath(import.meta.url)));

/** Controller and workers must have the same one. */
export const version: string = readPackage(packageRoot)?.version ?? "";

function findRoot(folder: string): string {
  if (readPackage(folder)?.name === "cassl") return folder;
  if (dirname(folder) === folder) throw new Error(`No package.json of cassl above ${import.meta.url}.`);
  return findRoot(dirname(folder));
}

function readPackage(folder: string): PackageJson | undefined {
  try {
    return JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as PackageJson;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

/** What installs the worker's Python packages: in a checkout its set-up, beside an installed package pip. A sentence. */
export const installWorker: string = existsSync(join(packageRoot, "scripts/setup.mjs"))
  ? "Run `npm run setup`."
  : `Run \`python3 -m pip install '${join(packageRoot, "worker-py")}[torch]'\`.`;

/** The environment of a Python that is to find the worker of this package, before one that is installed. */
export function workerEnvironment(): NodeJS.ProcessEnv {
  const path = [join(packageRoot, "worker-py"), process.env["PYTHONPATH"]].filter(Boolean).join(delimiter);
  return { ...process.env, PYTHONPATH: path };
}
