import assert from "node:assert/strict";
import { parse } from "yaml";
import { referencePages } from "../../../scripts/reference/pages.js";
import { allNodes, commandTree } from "../../../ts/cli/command-tree.js";
import { ErrorReason } from "../../../ts/gen/cassl/v1/error_reason.js";
import { configTemplate } from "../../../ts/pipeline/config-template.js";
import { loadedProgram } from "../cli/parse-only.js";

describe("reference", () => {
  let pages: ReadonlyMap<string, string>;
  before(async () => {
    pages = await referencePages(["ts/cli/run-files.ts", "worker-py/cassl_worker/tasks/__init__.py"]);
  });

  const page = (name: string): string => pages.get(name) ?? "";

  it("has every command with every option", async () => {
    for (const { path, options, children } of allNodes(commandTree(await loadedProgram()))) {
      if (children.length > 0) continue;
      const [, section = ""] = page("commands.md").split(`\n## cassl ${path.join(" ")}\n`);
      const [own = ""] = section.split("\n## ");
      for (const { flags } of options) assert.ok(own.includes(`\`${flags}\``), `${path.join(" ")} ${flags}`);
      assert.match(own, /\nExamples:\n\n {4}npx cassl /);
    }
  });

  it("has every field that init writes", () => {
    const paths = (value: unknown, prefix = ""): string[] =>
      typeof value === "object" && value !== null && !Array.isArray(value)
        ? Object.entries(value).flatMap(([name, inner]) => paths(inner, prefix === "" ? name : `${prefix}.${name}`))
        : [prefix];
    for (const path of paths(parse(configTemplate())))
      assert.ok(page("configuration.md").includes(`| \`${path}\` |`), path);
  });

  it("has every reason with cause and remedy, its codes and where it is raised", () => {
    for (const reason of Object.keys(ErrorReason).filter((name) => name !== "UNSPECIFIED")) {
      const [, section = ""] = page("errors.md").split(`\n## ${reason}\n`);
      assert.match(section, /^\n\S.*\.\n\ngRPC `[A-Z_]+` · exit code \d+/, reason);
    }
    assert.match(
      page("errors.md"),
      /No run has that id\. `cassl runs` lists those there are\.\n\ngRPC `NOT_FOUND` · exit code 1 · raised in `ts\/cli\/run-files\.ts`\n/,
    );
  });

  it("has every service and message with its comments", () => {
    const text = page("protocol.md");
    assert.match(text, /\n### ControllerService\n\n\S/);
    assert.match(text, /\| `ap50` \| double \|/);
    assert.match(text, /\| `losses` \| map of string to double \|/);
    assert.match(text, /\| `arm_evaluated` \| \[ArmEvaluated\]\(#armevaluated\) \| `event` \|/);
  });
});
