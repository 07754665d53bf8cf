/**
 * Runs every check and every test, all of them even after a failure. The last line is `N passed, N failed`.
 *
 *     npm test
 *     npm test -- --only static        (or mocha, pytest)
 */
import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { compile } from "./build.mjs";
import { gatherPages, renderPages } from "./docs.mjs";
import { setUpDependencies, setUpRay, setUpSystem } from "./setup.mjs";
import { capture, filesUnder, main, nodeBin, root, ScriptError, venvBin } from "./tools.mjs";

const PYPROJECT = "worker-py/pyproject.toml";
const PYTHON = ["worker-py/cassl_worker", "test/py", ...filesUnder("scripts", ".py")];
const PYTHON_ENV = { PYTHONPATH: "worker-py" };
/** In which lane the tests of a folder of test/ run; those of the other folders run in "sources". */
const LANES = { integration: "integration", faults: "faults", e2e: "faults" };

/**
 * `kinds` are what --only chooses from. A check returns `{ passed, failed, skipped, output }`: a static check is one
 * test, mocha and pytest are as many as they run; `skipped` are lines, `output` is shown after a failure. Checks of a lane
 * follow each other; those that name none are in "sources". When "compile" is through, the others go on side by side, since
 * tests that start processes wait for much of their time.
 */
const checks = [
  { name: "tsc", kinds: ["static", "mocha"], lane: "compile", check: () => attempt(compile) },
  { name: "buf lint", kinds: ["static"], check: command(nodeBin("buf"), "lint") },
  {
    name: "buf breaking",
    kinds: ["static"],
    check: command(nodeBin("buf"), "breaking", "--against", "proto/released.binpb"),
  },
  // The reference can be made, and no link of the pages leads nowhere.
  { name: "docs", kinds: ["static"], check: () => attempt(gatherPages, renderPages) },
  { name: "eslint", kinds: ["static"], check: command(nodeBin("eslint"), "--max-warnings=0", ".") },
  {
    name: "biome",
    kinds: ["static"],
    check: command(nodeBin("biome"), "check", "--error-on-warnings"),
  },
  { name: "dependency-cruiser", kinds: ["static"], check: command(nodeBin("depcruise"), "ts") },
  {
    name: "hadolint",
    kinds: ["static"],
    check: command(venvBin("hadolint"), ...filesUnder("docker", ".Dockerfile")),
  },
  { name: "mocha", kinds: ["mocha"], check: mocha("sources") },
  {
    name: "ruff check",
    kinds: ["static"],
    check: command(venvBin("ruff"), "check", "--config", PYPROJECT, ...PYTHON),
  },
  {
    name: "ruff format",
    kinds: ["static"],
    check: command(venvBin("ruff"), "format", "--check", "--config", PYPROJECT, ...PYTHON),
  },
  {
    name: "mypy",
    kinds: ["static"],
    check: command(venvBin("mypy"), "--config-file", PYPROJECT, ...PYTHON),
  },
  {
    name: "import-linter",
    kinds: ["static"],
    check: command(venvBin("lint-imports"), "--no-logo", "--config", PYPROJECT),
  },
  { name: "pytest", kinds: ["pytest"], check: pytest },
  { name: "mocha, integration", kinds: ["mocha"], lane: "integration", check: mocha("integration") },
  { name: "mocha, faults and browsers", kinds: ["mocha"], lane: "faults", check: mocha("faults") },
];

function command(program, ...args) {
  return async () => {
    const { status, output } = await capture(program, args, { env: PYTHON_ENV });
    return asOneTest(status === 0, output);
  };
}

function asOneTest(ok, output) {
  return { passed: ok ? 1 : 0, failed: ok ? 0 : 1, skipped: [], output };
}

/** One test, which fails where one of these throws; they are called in turn. */
async function attempt(...works) {
  try {
    for (const work of works) await work();
    return asOneTest(true, "");
  } catch (error) {
    return asOneTest(false, error.message);
  }
}

function mocha(lane) {
  return async () => {
    const report = `dist/mocha-${lane}.json`;
    rmSync(join(root, report), { force: true });
    const tests = filesUnder("dist/test", ".test.js").filter(
      (file) => (LANES[file.split("/")[2]] ?? "sources") === lane,
    );
    const args = ["--reporter", "json", "--reporter-option", `output=${report}`, ...tests];
    const { status, output } = await capture(nodeBin("mocha"), args);
    if (!existsSync(join(root, report))) return asOneTest(false, output);
    return mochaCounts(JSON.parse(readFileSync(join(root, report), "utf8")), status, output);
  };
}

function mochaCounts({ passes, failures, pending }, status, output) {
  const shown = failures.map(({ fullTitle, err }) => `${fullTitle}\n${indent(err.stack ?? err.message)}\n`);
  // A test prints `skipped: <reason>` before it calls this.skip().
  const reasons = output.split("\n").filter((line) => line.startsWith("skipped: "));
  return {
    passed: passes.length,
    failed: Math.max(failures.length, status === 0 ? 0 : 1),
    skipped: [...pending.map(({ fullTitle }) => fullTitle), ...reasons],
    output: [output, ...shown].join("\n"),
  };
}

async function pytest() {
  const args = ["-q", "-rs", "-c", PYPROJECT, "--rootdir=.", "test/py"];
  const { status, output } = await capture(venvBin("pytest"), args, { env: PYTHON_ENV });
  const lines = output.trimEnd().split("\n");
  const count = (outcome) => Number(new RegExp(`(\\d+) ${outcome}`).exec(lines.at(-1))?.[1] ?? 0);
  return {
    passed: count("passed"),
    failed: Math.max(count("failed") + count("error"), status === 0 ? 0 : 1),
    skipped: lines.filter((line) => line.startsWith("SKIPPED")),
    output,
  };
}

function indent(text) {
  return text.replace(/^/gm, "    ");
}

async function runAll(chosen) {
  const run = (lane) => runInTurn(chosen.filter((check) => (check.lane ?? "sources") === lane));
  const compiled = await run("compile");
  return [compiled, ...(await Promise.all(["sources", "integration", "faults"].map(run)))].reduce(sum);
}

async function runInTurn(chosen) {
  let total = { passed: 0, failed: 0, skipped: [] };
  for (const { name, check } of chosen) {
    const start = performance.now();
    const { passed, failed, skipped, output } = await check();
    const seconds = ((performance.now() - start) / 1000).toFixed(1);
    console.log(`${failed === 0 ? "ok    " : "FAILED"} ${name}: ${passed} passed, ${failed} failed (${seconds} s)`);
    if (failed > 0) console.log(indent(output.trimEnd()));
    total = sum(total, { passed, failed, skipped: skipped.map((line) => `${name}: ${line}`) });
  }
  return total;
}

function sum(a, b) {
  return { passed: a.passed + b.passed, failed: a.failed + b.failed, skipped: [...a.skipped, ...b.skipped] };
}

function chosenChecks() {
  const { only } = parseArgs({ options: { only: { type: "string" } } }).values;
  const chosen = checks.filter(({ kinds }) => only === undefined || kinds.includes(only));
  if (chosen.length === 0) throw new ScriptError(`--only takes static, mocha or pytest, not ${only}.`);
  return chosen;
}

/** Whether what the checks need could be installed; says why if not. */
async function isSetUp() {
  try {
    await setUpDependencies();
    await setUpSystem();
    await setUpRay();
    return true;
  } catch (error) {
    console.log(error.message);
    return false;
  }
}

await main(import.meta.url, async () => {
  const chosen = chosenChecks();
  const { passed, failed, skipped } = (await isSetUp()) ? await runAll(chosen) : asOneTest(false);
  if (skipped.length > 0) console.log(["Skipped:", ...skipped].join("\n  "));
  console.log(`${passed} passed, ${failed} failed`);
  process.exitCode = failed > 0 ? 1 : 0;
});
