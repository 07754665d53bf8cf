import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, realpath, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { packageRoot } from "../../../ts/core/package.js";

const TOOLS = pathToFileURL(join(packageRoot, "scripts/tools.mjs"));

describe("a script's main function", () => {
  let folder: string;
  before(async () => {
    folder = await realpath(await mkdtemp(join(tmpdir(), "cassl-scripts-")));
    const script = `import { main } from "${TOOLS.href}";\nawait main(import.meta.url, () => console.log("run"));\n`;
    await writeFile(join(folder, "script.mjs"), script);
    await writeFile(join(folder, "other.mjs"), `import "./script.mjs";\nconsole.log("other");\n`);
    await symlink(folder, join(folder, "link"));
  });
  after(() => rm(folder, { recursive: true }));

  const printed = async (...names: string[]): Promise<string> =>
    (await promisify(execFile)(process.execPath, [join(folder, ...names)])).stdout;

  it("runs where the script was started, through a link too", async () => {
    assert.equal(await printed("script.mjs"), "run\n");
    assert.equal(await printed("link", "script.mjs"), "run\n");
  });

  it("does not run where the script is imported", async () => {
    assert.equal(await printed("other.mjs"), "other\n");
  });
});
