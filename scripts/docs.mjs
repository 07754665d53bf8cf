/**
 * Renders docs/ and the reference, which is made from the sources, to dist/site. Fails where a link leads nowhere.
 *
 *     npm run docs
 */
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { compile } from "./build.mjs";
import { setUpDependencies } from "./setup.mjs";
import { filesUnder, main, root, run, ScriptError, venvBin } from "./tools.mjs";

const PAGES = "dist/docs";

/** The pages as the renderer takes them: those of docs/, README as the first, and the reference. Needs compiled sources. */
export async function gatherPages() {
  rmSync(join(root, PAGES), { recursive: true, force: true });
  cpSync(join(root, "docs"), join(root, PAGES), { recursive: true });
  const readme = readFileSync(join(root, "README.md"), "utf8");
  writeFileSync(join(root, PAGES, "index.md"), readme.replaceAll("](docs/", "]("));
  const { referencePages } = await import("../dist/scripts/reference/pages.js");
  const sources = [...filesUnder("ts", ".ts"), ...filesUnder("worker-py/cassl_worker", ".py")];
  mkdirSync(join(root, PAGES, "reference"));
  for (const [name, text] of await referencePages(sources.filter((file) => !file.startsWith("ts/gen/"))))
    writeFileSync(join(root, PAGES, "reference", name), text);
  await writeSdkReference();
}

/** Pages of what `import "cassl"` and `import "cassl/masks"` give, by typedoc; how they look is said in typedoc.json. */
async function writeSdkReference() {
  const { Application } = await import("typedoc");
  const out = join(root, PAGES, "reference/sdk");
  const application = await Application.bootstrapWithPlugins({ options: join(root, "scripts/typedoc.json"), out });
  const project = await application.convert();
  if (project !== undefined) await application.generateOutputs(project);
  const { errorCount, warningCount } = application.logger;
  if (errorCount + warningCount > 0)
    throw new ScriptError("The reference of the SDK is not as it should be: see above.");
}

/** Throws a ScriptError that names each link that leads nowhere, and each page that the navigation lacks. */
export async function renderPages() {
  const env = { NO_MKDOCS_2_WARNING: "true" };
  await run(venvBin("mkdocs"), ["build", "--quiet", "--strict", "--clean", "-f", "scripts/docs.yaml"], { env });
}

await main(import.meta.url, async () => {
  await setUpDependencies();
  await compile();
  await gatherPages();
  await renderPages();
  console.log(join(root, "dist/site/index.html"));
});
