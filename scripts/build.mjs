/**
 * Compiles TypeScript to dist/, and the mask kernel, which is AssemblyScript, to WebAssembly.
 *
 *     npm run build
 */
import { chmodSync, copyFileSync, existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import { filesUnder, hashFiles, main, nodeBin, root, run, step } from "./tools.mjs";

const PAGE = "ts/dashboard/page";
const ASSETS = "dist/ts/dashboard/assets";
const CLI = join(root, "dist/ts/cli/main.js");

const KERNEL = "ts/masks/wasm/index.ts";
const KERNEL_OPTIONS = ["--runtime", "stub", "--noAssert", "-O3", "--outFile", "dist/ts/evaluation/coco/masks.wasm"];

/** Does nothing if dist/ belongs to the present sources. Throws a ScriptError with the compiler's errors. */
export async function compile() {
  const sources = ["ts", "test", "scripts"].flatMap((folder) => filesUnder(folder, ".ts"));
  const page = [".html", ".css", ".svg", ".json"].flatMap((suffix) => filesUnder(PAGE, suffix));
  const key = hashFiles([...sources, ...page, "tsconfig.json", "package-lock.json", "scripts/build.mjs"]);
  await step("Compile TypeScript", "dist/.stamp", key, async () => {
    removeOrphans(new Set(sources));
    await run(nodeBin("tsc"), ["-p", "."]);
    await buildPage();
    // `npx cassl` executes it.
    if (existsSync(CLI)) chmodSync(CLI, 0o755);
  });
  const kernelKey = hashFiles([...filesUnder("ts/masks/wasm", ".ts"), "scripts/build.mjs", "package-lock.json"]);
  await step("Compile the mask kernel", "dist/.kernel-stamp", kernelKey, async () => {
    await run(nodeBin("asc"), [KERNEL, ...KERNEL_OPTIONS]);
  });
}

/** What browsers run: checked by the compiler with their types, and made one file by esbuild. */
async function buildPage() {
  await run(nodeBin("tsc"), ["-p", PAGE]);
  const { build } = await import("esbuild");
  await build({
    absWorkingDir: root,
    entryPoints: [`${PAGE}/main.ts`, `${PAGE}/style.css`],
    outdir: ASSETS,
    bundle: true,
    minify: true,
    format: "esm",
    target: "es2022",
    charset: "utf8",
    logLevel: "silent",
  });
  for (const file of ["index.html", "icon.svg"]) copyFileSync(join(root, PAGE, file), join(root, ASSETS, file));
}

/** Removes what was compiled from sources that are gone, so that deleted tests do not run. */
function removeOrphans(sources) {
  const outputs = [".js", ".d.ts", ".js.map"].flatMap((suffix) => filesUnder("dist", suffix));
  for (const output of outputs.filter((file) => !file.startsWith(ASSETS))) {
    const source = output.replace(/^dist\//, "").replace(/(\.d\.ts|\.js|\.js\.map)$/, ".ts");
    if (!sources.has(source)) rmSync(join(root, output));
  }
}

await main(import.meta.url, compile);
