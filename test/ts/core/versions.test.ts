/** What carries a version carries the same. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { packageRoot, version } from "../../../ts/core/package.js";

describe("the version", () => {
  const read = (file: string): string => readFileSync(join(packageRoot, file), "utf8");

  it("is one of Semantic Versioning", () => {
    assert.match(version, /^\d+\.\d+\.\d+(-[0-9a-z.]+)?$/);
  });

  it("is that of the lock file, the worker and the newest entry of the changelog", () => {
    const lock = JSON.parse(read("package-lock.json")) as { version: string; packages: Record<string, object> };
    assert.equal(lock.version, version);
    assert.deepEqual(/^VERSION = "(.*)"$/m.exec(read("worker-py/cassl_worker/version.py"))?.[1], version);
    assert.deepEqual(/^## (\S+)/m.exec(read("CHANGELOG.md"))?.[1], version);
  });
});
