/**
 * Shows that the two commands of README.md are all that a fresh machine needs: runs them in a new clone of what is committed, with
 * an empty home and without any cache, and times them. Fails if one fails, or if the set-up takes longer than ten minutes.
 *
 *     npm run fresh-machine
 *     npm run fresh-machine -- --quick        (the short demo in place of both)
 */
import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { parseArgs } from "node:util";
import { main, root, run, ScriptError } from "./tools.mjs";

const MAX_SETUP_SECONDS = 600;
/** Where programs are, and how the network is reached: what a fresh machine has too. */
const KEPT =
  /^(PATH|LANG|LC_\w+|TZ|(HTTPS?|NO)_PROXY|npm_config_registry|PIP_(EXTRA_)?INDEX_URL|SSL_CERT_\w+|NODE_EXTRA_CA_CERTS|PIP_CERT|(REQUESTS|CURL)_CA_BUNDLE|CASSL_PYTHON_BOOTSTRAP)$/i;
/** What a step of the set-up prints when it is done. */
const SETUP_STEP = /^.* \.\.\. ([\d.]+) s$/;

function freshEnvironment(folder) {
  const kept = Object.entries(process.env).filter(([name]) => KEPT.test(name));
  const home = join(folder, "home");
  mkdirSync(home);
  return { ...Object.fromEntries(kept), HOME: home, npm_config_cache: join(home, "npm"), PIP_NO_CACHE_DIR: "1" };
}

/** Runs `npm run SCRIPT` and shows what it prints. @returns its seconds, and how many of them were the set-up's. */
async function timed(args, cwd, env) {
  const start = performance.now();
  const child = spawn("npm", ["run", ...args], { cwd, env, stdio: ["ignore", "pipe", "inherit"] });
  let setup = 0;
  createInterface({ input: child.stdout }).on("line", (line) => {
    console.log(`    ${line}`);
    setup += Number(SETUP_STEP.exec(line)?.[1] ?? 0);
  });
  const status = await new Promise((resolve, reject) => child.on("error", reject).on("close", resolve));
  if (status !== 0) throw new ScriptError(`\`npm run ${args.join(" ")}\` failed with exit code ${status}.`);
  return { command: `npm run ${args.join(" ")}`, seconds: (performance.now() - start) / 1000, setup };
}

await main(import.meta.url, async () => {
  const { quick } = parseArgs({ options: { quick: { type: "boolean", default: false } } }).values;
  const folder = mkdtempSync(join(tmpdir(), "cassl-fresh-"));
  try {
    const clone = join(folder, "cassl");
    await run("git", ["clone", "--quiet", root, clone]);
    const env = freshEnvironment(folder);
    const results = [];
    for (const args of quick ? [["demo", "--", "--short"]] : [["demo"], ["test"]]) {
      console.log(`npm run ${args.join(" ")}`);
      results.push(await timed(args, clone, env));
    }
    const setup = results.reduce((sum, one) => sum + one.setup, 0);
    for (const { command, seconds } of results) console.log(`${command}: ${seconds.toFixed(0)} s`);
    console.log(`Of these, the set-up: ${setup.toFixed(0)} s, at most ${MAX_SETUP_SECONDS}.`);
    if (setup > MAX_SETUP_SECONDS) throw new ScriptError("The set-up takes too long.");
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
