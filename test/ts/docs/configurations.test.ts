/** What the documentation has one write into cassl.yaml is taken by the schema. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { packageRoot } from "../../../ts/core/package.js";
import { configJsonSchema, parseConfig } from "../../../ts/pipeline/config.js";

type Fields = Record<string, unknown>;

const BASE: Fields = {
  name: "documented",
  data: {
    labeled: { annotations: "train.json", images: "photos" },
    unlabeled: { images: ["unlabeled"] },
    validation: { annotations: "val.json", images: "photos" },
  },
};
const FIELDS = new Set(Object.keys((configJsonSchema() as { properties: Fields }).properties));

const isFields = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value);

function merged(base: Fields, given: Fields): Fields {
  const entries = Object.entries(given).map(([name, value]) => {
    const before = base[name];
    // Data sets are whole where they are given.
    return [name, isFields(value) && isFields(before) && !("annotations" in value) ? merged(before, value) : value];
  });
  return { ...base, ...(Object.fromEntries(entries) as Fields) };
}

/** Fenced blocks whose fields are those of a configuration, not of another file. */
function configurationsIn(text: string): Fields[] {
  const blocks = Array.from(text.matchAll(/^```yaml\n(.*?)^```$/gms), ([, block = ""]) => parse(block) as unknown);
  return blocks.filter(isFields).filter((block) => Object.keys(block).every((name) => FIELDS.has(name)));
}

const pages = readdirSync(join(packageRoot, "docs"))
  .filter((name) => name.endsWith(".md"))
  .map((name) => ({ name, blocks: configurationsIn(readFileSync(join(packageRoot, "docs", name), "utf8")) }))
  .filter(({ blocks }) => blocks.length > 0);

describe("configurations in the documentation", () => {
  it("are found, those of the quick start among them", () => {
    assert.equal(pages.find(({ name }) => name === "quick-start.md")?.blocks.length, 4);
    assert.ok(pages.length > 4);
  });

  for (const { name, blocks } of pages)
    it(`of ${name} are taken by the schema`, () => {
      for (const block of blocks) assert.doesNotThrow(() => parseConfig(merged(BASE, block)), JSON.stringify(block));
    });
});
