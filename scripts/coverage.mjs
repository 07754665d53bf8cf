/**
 * Measures which lines and branches the tests of sources reach: those of test/ts and test/py, and what they start. Tests with
 * workers, of faults and with browsers come on top and are not counted: they show that the whole works, not which line did.
 *
 *     npm run coverage            the two summaries; by line in dist/coverage/ts/index.html and dist/coverage/py/index.html
 */
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { compile } from "./build.mjs";
import { setUpDependencies, setUpRay, setUpSystem } from "./setup.mjs";
import { filesUnder, main, nodeBin, root, run, venvBin } from "./tools.mjs";

const OUT = "dist/coverage";

async function coverTypeScript() {
  const folders = ["--temp-directory", `${OUT}/v8`, "--reports-dir", `${OUT}/ts`];
  const reporters = ["--reporter=text-summary", "--reporter=html"];
  // The page is bundled and runs in browsers, and the kernel is WebAssembly: neither is seen from Node.
  const counted = ["--exclude-after-remap", "--include=ts/**", "--exclude=ts/gen/**", "--exclude=ts/dashboard/page/**"];
  const tests = filesUnder("dist/test/ts", ".test.js");
  const mocha = [nodeBin("mocha"), "--timeout=60000", ...tests];
  return run(nodeBin("c8"), [...folders, ...reporters, ...counted, "--merge-async", ...mocha]);
}

async function coverPython() {
  const env = { PYTHONPATH: "worker-py", COVERAGE_RCFILE: "worker-py/pyproject.toml" };
  const coverage = (...args) => run(venvBin("coverage"), args, { env });
  await coverage("run", "-m", "pytest", "-q", "-c", "worker-py/pyproject.toml", "--rootdir=.", "test/py");
  await coverage("combine");
  await coverage("html", "--quiet");
  await coverage("json", "--quiet", "-o", `${OUT}/py.json`);
  const { totals } = JSON.parse(readFileSync(join(root, OUT, "py.json"), "utf8"));
  return [
    `Lines    : ${totals.percent_statements_covered_display}% ( ${totals.covered_lines}/${totals.num_statements} )`,
    `Branches : ${totals.percent_branches_covered_display}% ( ${totals.covered_branches}/${totals.num_branches} )`,
  ].join("\n");
}

await main(import.meta.url, async () => {
  await setUpDependencies();
  await setUpSystem();
  await setUpRay();
  await compile();
  rmSync(join(root, OUT), { recursive: true, force: true });
  console.log((await coverTypeScript()).split("\n").slice(-9).join("\n"));
  console.log(await coverPython());
});
