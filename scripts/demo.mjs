/**
 * The demo: sets up, makes a small data set and runs all of CA-SSL on it.
 *
 *     npm run demo
 *     npm run demo -- --short          (few iterations on few images: shows that it works, not that it is good)
 *
 * The last line is the path of result.json.
 */
import { spawn } from "node:child_process";
import { parseArgs } from "node:util";
import { compile } from "./build.mjs";
import { setUpDependencies } from "./setup.mjs";
import { main, root, run, venvBin } from "./tools.mjs";

const full = { config: "scripts/demo.yaml", data: "demo-data", workspace: ".cassl/demo", sizes: [] };
const short = {
  config: "scripts/demo-short.yaml",
  data: "demo-data-short",
  workspace: ".cassl/demo-short",
  sizes: ["--labeled=16", "--unlabeled=32", "--validation=16"],
};

/** Runs the CLI in this terminal. It handles Ctrl-C and SIGTERM itself, so here they only wait for its end. */
function runCli(args) {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ["dist/ts/cli/main.js", ...args], { cwd: root, stdio: "inherit" });
    process.on("SIGINT", () => {});
    process.on("SIGTERM", () => child.kill("SIGTERM"));
    child.on("error", reject);
    child.on("close", (code) => resolve(code ?? 1));
  });
}

await main(import.meta.url, async () => {
  const { values } = parseArgs({ options: { short: { type: "boolean", default: false } } });
  const demo = values.short ? short : full;
  await setUpDependencies();
  await compile();
  console.log((await run(venvBin("python"), ["scripts/demo-data.py", "--out", demo.data, ...demo.sizes])).trim());
  process.exitCode = await runCli(["run", demo.config, "--workspace", demo.workspace]);
});
