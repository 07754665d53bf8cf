/**
 * What the other scripts share. They run before anything is installed, so they use nothing but Node.
 */
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, realpathSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";

export const root = dirname(dirname(fileURLToPath(import.meta.url)));
export const nodeBin = (name) => join(root, "node_modules/.bin", name);
export const venvBin = (name) => join(root, ".venv/bin", name);

/** A failure that is reported without a stack trace. */
export class ScriptError extends Error {}

/** Runs a command in the repository and returns `{ status, output }`, both streams in one text. */
export function capture(command, args, { env = {} } = {}) {
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      cwd: root,
      env: { ...process.env, ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    const chunks = [];
    child.stdout.on("data", (chunk) => chunks.push(chunk));
    child.stderr.on("data", (chunk) => chunks.push(chunk));
    child.on("error", (error) => resolve({ status: 127, output: `${command}: ${error.message}` }));
    child.on("close", (code, signal) => {
      const output = Buffer.concat(chunks).toString();
      resolve({ status: code ?? 1, output: signal === null ? output : `${output}\nEnded by ${signal}.` });
    });
  });
}

/** Runs a command and throws a ScriptError with its output if it fails. */
export async function run(command, args, options) {
  const { status, output } = await capture(command, args, options);
  if (status === 0) return output;
  const shown = [relative(root, command).startsWith("..") ? command : relative(root, command), ...args].join(" ");
  throw new ScriptError(`${output.trimEnd()}\n\`${shown}\` failed with exit code ${status}.`);
}

/** SHA-256 over names and contents of files, given relative to the repository. */
export function hashFiles(files, salt = "") {
  const hash = createHash("sha256").update(salt);
  for (const file of files) hash.update(`\0${file}\0`).update(readFileSync(join(root, file)));
  return hash.digest("hex");
}

/** Files below a folder whose names end with `suffix`, sorted, relative to the repository; none if there is no such folder. */
export function filesUnder(folder, suffix) {
  if (!existsSync(join(root, folder))) return [];
  const entries = readdirSync(join(root, folder), { withFileTypes: true, recursive: true });
  return entries
    .filter((entry) => entry.isFile() && entry.name.endsWith(suffix))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)))
    .sort();
}

/** Does `work` and prints one line about it, unless the stamp file says that it was done for the same `key`. */
export async function step(title, stamp, key, work) {
  const file = join(root, stamp);
  if (existsSync(file) && readFileSync(file, "utf8") === key) return;
  process.stdout.write(`${title} ... `);
  const start = performance.now();
  try {
    await work();
  } catch (error) {
    console.log("failed");
    throw error;
  }
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, key);
  console.log(`${((performance.now() - start) / 1000).toFixed(1)} s`);
}

/** Runs the main function of a script that was started by itself, not imported. Failures end it with exit code 1. */
export async function main(url, work) {
  // The path may have been given through a link; the URL is that of the file itself.
  if (process.argv[1] === undefined || realpathSync(process.argv[1]) !== fileURLToPath(url)) return;
  try {
    await work();
  } catch (error) {
    const isExpected = error instanceof ScriptError || error.code?.startsWith("ERR_PARSE_ARGS");
    console.error(isExpected ? error.message : error);
    process.exitCode = 1;
  }
}
