/**
 * Sets up the working copy: npm packages, Python environment, generated code, compiled TypeScript.
 * What is up to date is left alone.
 *
 *     npm run setup
 *
 * CASSL_PYTHON_BOOTSTRAP names the Python that makes the environment (3.11 or newer; else the newest one on the PATH).
 */
import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import { compile } from "./build.mjs";
import { generate } from "./gen.mjs";
import { capture, hashFiles, main, root, run, ScriptError, step, venvBin } from "./tools.mjs";

const MIN_NODE = 20;
const MIN_PYTHON = "3.11";

/** Everything but the compiler. */
export async function setUpDependencies() {
  checkNode();
  await installNodePackages();
  await installPythonPackages();
  await generate();
}

function checkNode() {
  if (Number(process.versions.node.split(".")[0]) >= MIN_NODE) return;
  throw new ScriptError(`Node ${process.versions.node} is too old. Install Node ${MIN_NODE} or newer.`);
}

async function installNodePackages() {
  await step("Install npm packages", "node_modules/.stamp", hashFiles(["package-lock.json"]), async () => {
    await run("npm", ["ci", "--no-audit", "--no-fund"]);
  });
}

async function installPythonPackages() {
  const key = hashFiles(["worker-py/pyproject.toml"]);
  await step("Install Python packages (torch is large: minutes the first time)", ".venv/.stamp", key, async () => {
    if (!existsSync(venvBin("python"))) await makePythonEnvironment();
    await installWorker("torch,dev");
  });
}

/** What only the tests of the executor `ray` need. */
export async function setUpRay() {
  const key = hashFiles(["worker-py/pyproject.toml"]);
  await step("Install Ray (600 MB) for its tests", ".venv/.ray-stamp", key, () => installWorker("ray"));
}

async function installWorker(extras) {
  // "compat" puts worker-py itself on the path, so that code generated later is found.
  const editable = ["--config-settings", "editable_mode=compat", "-e", `worker-py[${extras}]`];
  await run(venvBin("python"), ["-m", "pip", "install", "-q", "--disable-pip-version-check", ...editable]);
}

async function makePythonEnvironment() {
  const bootstrap = await findPython();
  rmSync(join(root, ".venv"), { recursive: true, force: true });
  await run(bootstrap, ["-m", "venv", ".venv"]);
}

async function findPython() {
  const named = process.env.CASSL_PYTHON_BOOTSTRAP;
  const candidates = named ? [named] : ["python3.13", "python3.12", "python3.11", "python3"];
  const probe = `import ensurepip, sys; sys.exit(sys.version_info < (${MIN_PYTHON.replace(".", ", ")}))`;
  for (const candidate of candidates) {
    if ((await capture(candidate, ["-c", probe])).status === 0) return candidate;
  }
  throw new ScriptError(
    `None of ${candidates.join(", ")} is Python ${MIN_PYTHON} or newer with the venv module. ` +
      `Install one (on Debian and Ubuntu also its python3-venv), or name one in CASSL_PYTHON_BOOTSTRAP.`,
  );
}

/**
 * What some tests need of the system, where it is missing and this user may install it: Chromium, and the tools of network
 * namespaces. Says nothing where not: the tests do.
 */
export async function setUpSystem() {
  const browsers = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
  if (!process.env.CASSL_CHROMIUM && !browsers.some((path) => existsSync(path))) await installPackages("chromium");
  const tools = ["ip", "tc", "nft"].map((tool) => capture("which", [tool]));
  if ((await Promise.all(tools)).some(({ status }) => status !== 0)) await installPackages("iproute2", "nftables");
}

/** By apt-get, if this is root. */
async function installPackages(...names) {
  if (process.getuid?.() !== 0 || (await capture("apt-get", ["--version"])).status !== 0) return;
  const env = { DEBIAN_FRONTEND: "noninteractive" };
  process.stdout.write(`Install ${names.join(", ")} ... `);
  await capture("apt-get", ["update", "-q"], { env });
  const { status } = await capture("apt-get", ["install", "-q", "-y", "--no-install-recommends", ...names], { env });
  console.log(status === 0 ? "done" : "failed");
}

await main(import.meta.url, async () => {
  await setUpDependencies();
  await compile();
  console.log("Everything is set up.");
});
