/** docs/dependencies.md: it says what each dependency is for, and of nothing else. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { packageRoot } from "../../../ts/core/package.js";

const read = (file: string): string => readFileSync(join(packageRoot, file), "utf8");
const page = read("docs/dependencies.md");

/** Of the first column of the tables below a heading. */
function named(heading: string): string[] {
  const [, section = ""] = page.split(`\n## ${heading}\n`);
  const rows = (section.split("\n## ")[0] ?? "").matchAll(/^\| (`.*?`) \|/gm);
  return Array.from(rows, ([, cell = ""]) => cell.split(", "))
    .flat()
    .map((name) => name.replaceAll("`", ""))
    .sort();
}

/** Names of an array of requirements in pyproject.toml. */
function requirements(pyproject: string, array: string): string[] {
  const from = pyproject.indexOf(`\n${array} = [`);
  const text = pyproject.slice(from, pyproject.indexOf("]\n", from));
  return Array.from(text.matchAll(/"([\w-]+)/g), ([, name = ""]) => name);
}

describe("docs/dependencies.md", () => {
  const npm = JSON.parse(read("package.json")) as Record<"dependencies" | "devDependencies", object>;
  const pyproject = read("worker-py/pyproject.toml");
  const extras = ["torch", "ray", "s3", "ssl", "sweep", "tracking", "detectron2"];

  it("has the packages of package.json", () => {
    assert.deepEqual(named("npm, installed with cassl"), Object.keys(npm.dependencies).sort());
    assert.deepEqual(named("npm, for development"), Object.keys(npm.devDependencies).sort());
  });

  it("has the packages of pyproject.toml", () => {
    const installed = ["dependencies", ...extras].flatMap((array) => requirements(pyproject, array));
    assert.deepEqual(named("PyPI, installed with the worker"), installed.sort());
    const development = requirements(pyproject, "dev").filter((name) => !installed.includes(name));
    assert.deepEqual(named("PyPI, for development"), development.sort());
  });

  it("has all extras", () => {
    const [, section = ""] = pyproject.split("[project.optional-dependencies]\n");
    const found = Array.from((section.split("\n[")[0] ?? "").matchAll(/^(\w+) = \[/gm), ([, name]) => name);
    assert.deepEqual(found, [...extras, "dev"]);
  });
});
