/**
 * Runs every check and every test, all of them even after a failure. The last line is `N passed, N failed`.
 *
 *     npm test
 *     npm test -- --only static        (or mocha, pytest)
 */
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { compile } from "./build.mjs";
import { setUpDependencies } from "./setup.mjs";
import { bin, capture, filesUnder, main, python, ScriptError } from "./tools.mjs";

const PYPROJECT = "worker-py/pyproject.toml";
const PYTHON_SOURCES = ["worker-py/cassl_worker", "test/py", "scripts/demo-data.py"];
const scratch = mkdtempSync(join(tmpdir(), "cassl-test-"));

/**
 * `kinds` are what --only chooses from. A check returns `{ passed, failed, skipped, output }`: a static check is one
 * test, mocha and pytest are as many as they run; `skipped` are lines, `output` is shown after a failure.
 */
const checks = [
  { name: "buf lint", kinds: ["static"], check: command(bin("buf"), "lint") },
  { name: "tsc", kinds: ["static", "mocha"], check: compilation },
  { name: "eslint", kinds: ["static"], check: command(bin("eslint"), "--max-warnings=0", ".") },
  { name: "biome", kinds: ["static"], check: command(bin("biome"), "check", "--error-on-warnings") },
  { name: "dependency-cruiser", kinds: ["static"], check: command(bin("depcruise"), "ts") },
  { name: "mocha", kinds: ["mocha"], check: mocha },
  { name: "ruff check", kinds: ["static"], check: pythonModule("ruff", "check", "--config", PYPROJECT) },
  { name: "ruff format", kinds: ["static"], check: pythonModule("ruff", "format", "--check", "--config", PYPROJECT) },
  { name: "mypy", kinds: ["static"], check: pythonModule("mypy", "--config-file", PYPROJECT) },
  { name: "import-linter", kinds: ["static"], check: command(".venv/bin/lint-imports", "--no-logo", "--config", PYPROJECT) },
  { name: "pytest", kinds: ["pytest"], check: pytest },
];

function pythonModule(module, ...args) {
  return command(python, "-m", module, ...args, ...PYTHON_SOURCES);
}

function command(program, ...args) {
  return async () => {
    const { status, output } = await capture(program, args, { env: { PYTHONPATH: "worker-py" } });
    return asOneTest(status === 0, output);
  };
}

function asOneTest(ok, output) {
  return { passed: ok ? 1 : 0, failed: ok ? 0 : 1, skipped: [], output };
}

async function compilation() {
  try {
    await compile();
    return asOneTest(true, "");
  } catch (error) {
    return asOneTest(false, error.message);
  }
}

async function mocha() {
  const report = join(scratch, "mocha.json");
  const args = ["--reporter", "json", "--reporter-option", `output=${report}`, ...filesUnder("dist/test", ".test.js")];
  const { status, output } = await capture(bin("mocha"), args);
  if (!existsSync(report)) return asOneTest(false, output);
  const { passes, failures, pending } = JSON.parse(readFileSync(report, "utf8"));
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
  const report = join(scratch, "pytest.xml");
  const args = ["-m", "pytest", "-q", "-c", PYPROJECT, "--rootdir=.", `--junitxml=${report}`, "test/py"];
  const { status, output } = await capture(python, args, { env: { PYTHONPATH: "worker-py" } });
  if (!existsSync(report)) return asOneTest(false, output);
  const xml = readFileSync(report, "utf8");
  const count = (name) => Number(new RegExp(`<testsuite [^>]*\\b${name}="(\\d+)"`).exec(xml)?.[1]);
  const skips = [...xml.matchAll(/<testcase [^>]*\bname="([^"]*)"[^>]*><skipped [^>]*\bmessage="([^"]*)"/g)];
  const failed = count("failures") + count("errors");
  return {
    passed: count("tests") - failed - count("skipped"),
    failed: Math.max(failed, status === 0 ? 0 : 1),
    skipped: skips.map(([, name, reason]) => `${name}: ${reason}`),
    output,
  };
}

function indent(text) {
  return text.replace(/^/gm, "    ");
}

async function runAll(chosen) {
  const total = { passed: 0, failed: 0, skipped: [] };
  for (const { name, check } of chosen) {
    const start = performance.now();
    const { passed, failed, skipped, output } = await check();
    const seconds = ((performance.now() - start) / 1000).toFixed(1);
    console.log(`${failed === 0 ? "ok    " : "FAILED"} ${name}: ${passed} passed, ${failed} failed (${seconds} s)`);
    if (failed > 0) console.log(indent(output.trimEnd()));
    total.passed += passed;
    total.failed += failed;
    total.skipped.push(...skipped.map((line) => `${name}: ${line}`));
  }
  return total;
}

function chosenChecks() {
  const { only } = parseArgs({ options: { only: { type: "string" } } }).values;
  const chosen = checks.filter(({ kinds }) => only === undefined || kinds.includes(only));
  if (chosen.length === 0) throw new ScriptError(`--only takes static, mocha or pytest, not ${only}.`);
  return chosen;
}

await main(import.meta.url, async () => {
  try {
    const chosen = chosenChecks();
    await setUpDependencies();
    const { passed, failed, skipped } = await runAll(chosen);
    if (skipped.length > 0) console.log(["Skipped:", ...skipped].join("\n  "));
    console.log(`${passed} passed, ${failed} failed`);
    process.exitCode = failed > 0 ? 1 : 0;
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
});
