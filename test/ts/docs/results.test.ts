/** docs/results.md: its tables are those of the results that are kept. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { packageRoot } from "../../../ts/core/package.js";

describe("docs/results.md", () => {
  it("has the tables of docs/results/*.json", async () => {
    const page = await readFile(join(packageRoot, "docs/results.md"), "utf8");
    const program = `
      import { readFileSync } from "node:fs";
      import { writeTables } from "./scripts/experiments.mjs";
      process.stdout.write(await writeTables(readFileSync("docs/results.md", "utf8")));`;
    const run = promisify(execFile)(process.execPath, ["--input-type=module", "--eval", program], { cwd: packageRoot });
    assert.equal(page, (await run).stdout);
    assert.match(page, /\| supervised \| 3 \|/);
  });
});
