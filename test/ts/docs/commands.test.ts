/** Every command that the documentation shows parses, and is run: here, where it ends in seconds, or by a test that is named. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { cp, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { EXAMPLES } from "../../../ts/cli/examples.js";
import { type Controller, startController } from "../../../ts/controller/controller.js";
import { packageRoot } from "../../../ts/core/package.js";
import { parseOnly, wordsOf } from "../cli/parse-only.js";
import { makeFolder } from "../controller/workbench.js";
import { COVERAGE, type Coverage } from "./command-coverage.js";
import { makeDocsFolder } from "./docs-folder.js";
import { commandsIn, shownCommands } from "./shown-commands.js";

const MAIN = join(packageRoot, "dist/ts/cli/main.js");

/** As in docs/, and as `--help` shows them. */
const lines = [
  ...new Set([
    ...shownCommands().map(({ line }) => line),
    ...Object.values(EXAMPLES).flatMap((examples) => examples.map((example) => `npx ${example}`)),
  ]),
].flatMap((line) => line.split("; "));

const coverageOf = (line: string): Coverage | undefined => COVERAGE.find(([command]) => command.test(line))?.[1];
const toRun = lines.flatMap((line) => {
  const coverage = coverageOf(line);
  return coverage !== undefined && "prints" in coverage ? [{ line, prints: coverage.prints }] : [];
});

describe("commands in the documentation", function () {
  // Each starts a process; a busy machine takes its time.
  this.timeout(300_000);

  it("are found", () => {
    assert.deepEqual(
      commandsIn("text\n    npx cassl run a.yaml \\\n  --ui   explained\n$ npx cassl gc\nnpx is a word\n"),
      ["npx cassl run a.yaml --ui", "npx cassl gc", "npx is a word"],
    );
    assert.ok(lines.length > 100);
  });

  it("parse, those of cassl", async () => {
    for (const line of lines.filter((text) => /^([A-Z_]+=\S+ )*npx cassl /.test(text)))
      await parseOnly(line.replace(/^.*?npx /, "")).catch((error: Error) => assert.fail(`${line}: ${error.message}`));
  });

  it("are all run here, or by a test that is named, or there is a reason", () => {
    for (const line of lines) assert.ok(coverageOf(line) !== undefined, `nothing runs \`${line}\``);
    for (const [command] of COVERAGE)
      assert.ok(
        lines.some((line) => command.test(line)),
        `nothing shows ${command}`,
      );
  });

  it("are named with tests that there are", async () => {
    for (const [, coverage] of COVERAGE) {
      if (!("file" in coverage)) continue;
      const text = await readFile(join(packageRoot, coverage.file), "utf8");
      assert.ok(text.includes(coverage.name), `${coverage.file} has no test "${coverage.name}"`);
    }
  });

  describe("that end in seconds", () => {
    let folder: string;
    let controller: Controller;

    before(async () => {
      folder = await makeFolder();
      await makeDocsFolder(join(folder, "start"));
      await cp(join(folder, "start/.cassl"), join(folder, "served"), { recursive: true });
      const options = { host: "127.0.0.1", port: 0, childWorkers: 0, recover: "fail" } as const;
      controller = await startController({ ...options, workspace: join(folder, "served") });
    });
    after(async () => {
      await controller?.stop();
      await rm(folder, { recursive: true, force: true });
    });

    /** In a copy of what there is at the start, so that none depends on another. */
    for (const [index, { line, prints }] of toRun.entries())
      it(`do what they say: ${line}`, async () => {
        const cwd = join(folder, String(index));
        await cp(join(folder, "start"), cwd, { recursive: true, verbatimSymlinks: true, preserveTimestamps: true });
        if (line.startsWith("npx cassl init")) await rm(join(cwd, "cassl.yaml"));
        const { code, stdout, stderr } = await run(line, cwd);
        assert.equal(code, 0, stdout + stderr);
        assert.match(stdout, prints);
      });

    function run(line: string, cwd: string): Promise<{ code: number; stdout: string; stderr: string }> {
      const here = line.replace(/(127\.0\.0\.1|lab):70\d\d/, controller.address).replace(/\bRUN\b/, "cells-a");
      const words = wordsOf(here).slice(2);
      const env = { ...process.env, NO_COLOR: "1", CASSL_CONTROLLER: controller.address, BROWSER: "true" };
      return new Promise((resolve) => {
        execFile(process.execPath, [MAIN, ...words], { cwd, env }, (error, stdout, stderr) =>
          resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr }),
        );
      });
    }
  });
});
