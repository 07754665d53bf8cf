/** docs/security.md: its table of roles is that of the controller. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ROLES, RULES } from "../../../ts/controller/access/rules.js";
import { packageRoot } from "../../../ts/core/package.js";

const page = readFileSync(join(packageRoot, "docs/security.md"), "utf8");

describe("docs/security.md", () => {
  it("has the rules of the controller in its table", () => {
    const documented: Record<string, unknown> = {};
    for (const [, service, names = "", ...cells] of page.matchAll(/^\| (\w+): ([\w, ]+) \|(.*)\|(.*)\|(.*)\|$/gm)) {
      const allowed = ROLES.filter((_, column) => cells[column]?.trim() === "yes");
      for (const name of names.split(", "))
        documented[`${service}/${name}`] = cells[0]?.includes("anyone") ? "anyone" : allowed;
    }
    const rules = Object.entries(RULES).map(([rpc, rule]) => [rpc.split(".").at(-1), rule]);
    assert.deepEqual(documented, Object.fromEntries(rules));
  });
});
