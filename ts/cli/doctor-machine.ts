/** What `cassl doctor` checks without Python. */
import { execFile } from "node:child_process";
import { once } from "node:events";
import { access, constants, statfs } from "node:fs/promises";
import { createServer } from "node:net";
import { dirname } from "node:path";
import { promisify } from "node:util";
import { packageRoot, version } from "../core/package.js";
import { DEFAULT_UI_PORT } from "./dashboard.js";
import { type Finding, finding, lastLine } from "./finding.js";
import { DEFAULT_ADDRESS } from "./options.js";

const LEAST_NODE = 20;
const NATIVE_PACKAGES = ["@duckdb/node-api", "@photostructure/sqlite", "onnxruntime-node", "sharp", "zeromq"] as const;
const LEAST_FREE_BYTES = 2 * 2 ** 30;

export async function* checkMachine(workspace: string): AsyncGenerator<Finding> {
  yield checkNode();
  yield await checkNativePackages();
  yield await checkWorkspace(workspace);
  yield await checkPorts();
}

function checkNode(): Finding {
  const { node } = process.versions;
  const ok = Number(node.split(".")[0]) >= LEAST_NODE;
  return finding("node", ok, `${node}, cassl ${version} in ${packageRoot}`, `Install Node ${LEAST_NODE} or newer.`);
}

/** In a process of their own, which a package that does not fit this machine may take down. */
async function checkNativePackages(): Promise<Finding> {
  const imports = NATIVE_PACKAGES.map((name) => `await import("${name}");`).join("");
  try {
    await promisify(execFile)(process.execPath, ["--input-type=module", "-e", imports], { cwd: packageRoot });
    return finding("native packages", true, NATIVE_PACKAGES.join(", "));
  } catch (error) {
    const said = lastLine((error as { stderr?: string }).stderr ?? String(error));
    return finding("native packages", false, said, "Run `npm ci`, or `npm install` where cassl is a dependency.");
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
    return finding("workspace", freeBytes >= LEAST_FREE_BYTES, detail, remedy);
  } catch (error) {
    return finding("workspace", false, (error as Error).message, remedy);
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

/** Nothing is wrong where they are taken: a controller may run, and others can be named. */
async function checkPorts(): Promise<Finding> {
  const controllerPort = Number(DEFAULT_ADDRESS.split(":")[1]);
  const [controller, page] = await Promise.all([isFree(controllerPort), isFree(DEFAULT_UI_PORT)]);
  const described = [
    `${controllerPort} ${controller ? "is free" : "is taken: if not by a controller, `cassl serve --listen 127.0.0.1:0` takes another"}`,
    `${DEFAULT_UI_PORT} ${page ? "is free" : "is taken: the dashboard takes another, or that of --ui-port"}`,
  ];
  return finding("ports", true, described.join("; "));
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer().listen(port, "127.0.0.1");
  try {
    await once(server, "listening");
    return true;
  } catch {
    return false;
  } finally {
    server.close();
  }
}
