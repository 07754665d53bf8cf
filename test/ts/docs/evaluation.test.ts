/** docs/evaluation.md: its programs and commands print what it says. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { copyFile, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { packageRoot } from "../../../ts/core/package.js";
import { missingParity, parity } from "../evaluation/diagnosis/fixtures.js";

interface Block {
  readonly language: string;
  readonly text: string;
}

const SEPARATOR = "--- next block ---";

describe("docs/evaluation.md", function () {
  this.timeout(60_000);
  let folder: string;
  let blocks: Block[];

  before(async function () {
    const missing = missingParity();
    if (missing !== undefined) {
      console.log(`      skipped: ${missing}`);
      this.skip();
    }
    // Inside the package, so that `import "cassl"` finds it.
    folder = await mkdtemp(join(packageRoot, "dist/docs-"));
    await copyFile(parity.gt, join(folder, "gt.json"));
    await copyFile(parity.dt, join(folder, "dt.json"));
    const page = await readFile(join(packageRoot, "docs/evaluation.md"), "utf8");
    blocks = Array.from(page.matchAll(/^```(\w+)\n(.*?)^```$/gms), ([, language = "", text = ""]) => ({
      language,
      text,
    }));
    const programs = blocks.filter(({ language }) => language === "js").map(({ text }) => text);
    await writeFile(join(folder, "page.mjs"), programs.join(`console.log(${JSON.stringify(SEPARATOR)});\n`));
  });
  after(async () => {
    if (folder !== undefined) await rm(folder, { recursive: true });
  });

  const node = (...args: string[]): string => execFileSync(process.execPath, args, { cwd: folder, encoding: "utf8" });

  it("has programs that print what follows them", () => {
    const printed = node("page.mjs").split(`${SEPARATOR}\n`);
    const expected = blocks.filter(({ language }) => language === "text").map(({ text }) => text);
    assert.deepEqual(printed, expected);
  });

  it("has commands that print what follows them", () => {
    for (const { text } of blocks.filter(({ language }) => language === "console")) {
      const [command = "", ...lines] = text.split("\n");
      const [, ...args] = command.replace("$ ", "").split(" ");
      const printed = node(join(packageRoot, "dist/ts/cli/main.js"), ...args);
      // A line of three dots stands for any lines.
      let from = 0;
      for (const part of lines.join("\n").split(/^\.\.\.\n/m)) {
        const at = printed.indexOf(part, from);
        assert.ok(at >= 0, `${command} does not print\n${part}\nbut\n${printed}`);
        from = at + part.length;
      }
    }
  });
});
