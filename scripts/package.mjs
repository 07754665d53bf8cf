/**
 * Makes what is published: the npm package, the worker's wheel and source distribution, and bills of materials (CycloneDX) of
 * what both depend on, with their licences. The last line of output is the folder.
 *
 *     npm run package
 *     npm run package -- --out FOLDER --as-is        (packs what has been compiled, and sets up nothing)
 */
import { copyFileSync, cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { compile } from "./build.mjs";
import { npmNotices } from "./notices.mjs";
import { setUpDependencies } from "./setup.mjs";
import { main, root, run, venvBin } from "./tools.mjs";

const NOTICES = "dist/THIRD_PARTY_NOTICES.txt";
const NPM_BILL = "dist/sbom.cdx.json";
const WORKER_FILES = ["cassl", "cassl_worker", "pyproject.toml", "README.md"];

async function packNpm(out) {
  writeFileSync(join(root, NOTICES), npmNotices());
  // Of the lock file: what npm has installed beside it does not count.
  const bill = await run("npm", ["sbom", "--sbom-format", "cyclonedx", "--package-lock-only", "--omit", "dev"]);
  writeFileSync(join(root, NPM_BILL), bill);
  await run("npm", ["pack", "--silent", "--pack-destination", out]);
}

async function packWorker(out) {
  const folder = mkdtempSync(join(tmpdir(), "cassl-package-"));
  try {
    // In a copy: setuptools leaves files beside the sources, and takes nothing from above them, such as the licence.
    const filter = (path) => !path.includes("__pycache__");
    for (const name of WORKER_FILES)
      cpSync(join(root, "worker-py", name), join(folder, name), { recursive: true, filter });
    copyFileSync(join(root, "LICENSE"), join(folder, "LICENSE"));
    await run(venvBin("python"), ["-m", "build", "--no-isolation", "--outdir", out, folder]);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Of the packages that the worker may be installed with, those of torch among them: half a megabyte of licences, so beside the wheel. */
async function describeWorker(out) {
  const env = { PYTHONPATH: "worker-py" };
  const { bill, notices } = JSON.parse(await run(venvBin("python"), ["scripts/worker_components.py"], { env }));
  writeFileSync(join(out, "cassl-worker.cdx.json"), `${JSON.stringify(bill, null, 2)}\n`);
  writeFileSync(join(out, "cassl-worker.THIRD_PARTY_NOTICES.txt"), notices);
}

await main(import.meta.url, async () => {
  const options = { out: { type: "string", default: "dist/packages" }, "as-is": { type: "boolean", default: false } };
  const { values } = parseArgs({ options });
  const out = resolve(root, values.out);
  if (!values["as-is"]) {
    await setUpDependencies();
    await compile();
  }
  rmSync(out, { recursive: true, force: true });
  mkdirSync(out, { recursive: true });
  await packNpm(out);
  copyFileSync(join(root, NPM_BILL), join(out, "cassl.cdx.json"));
  await packWorker(out);
  await describeWorker(out);
  console.log(out);
});
