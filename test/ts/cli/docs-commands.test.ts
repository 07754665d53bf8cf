/** Every command of cassl that README and docs show is one that the program takes. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { packageRoot } from "../../../ts/core/package.js";
import { parseOnly } from "./parse-only.js";

/** `npx cassl ...` in indented or fenced code, without the explanation that follows after two or more spaces. */
function commandsIn(text: string): string[] {
  return text
    .replace(/\s*\\\n\s*/g, " ")
    .split("\n")
    .flatMap((line) => /^(?: {4}|\$ )?(?:[A-Z_]+=\S+ )*npx cassl (.*)$/.exec(line)?.[1] ?? [])
    .map((rest) => rest.trim().split(/ {2,}/)[0] ?? "");
}

const files = [
  "README.md",
  ...readdirSync(join(packageRoot, "docs"))
    .filter((name) => name.endsWith(".md"))
    .map((name) => `docs/${name}`),
];

describe("commands in the documentation", () => {
  it("are found", () => {
    assert.deepEqual(commandsIn("text\n    npx cassl run a.yaml \\\n  --ui   explained\nnpx cassl gc\n"), [
      "run a.yaml --ui",
      "gc",
    ]);
    assert.ok(files.flatMap((file) => commandsIn(readFileSync(join(packageRoot, file), "utf8"))).length > 20);
  });

  for (const file of files) {
    const commands = commandsIn(readFileSync(join(packageRoot, file), "utf8"));
    if (commands.length === 0) continue;
    it(`of ${file} parse`, async () => {
      for (const command of commands)
        await parseOnly(`cassl ${command}`).catch((error: Error) =>
          assert.fail(`npx cassl ${command}: ${error.message}`),
        );
    });
  }
});
