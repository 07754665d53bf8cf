import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openInspections } from "../../../ts/controller/inspections.js";
import { openDatabase } from "../../../ts/controller/sqlite.js";

const stamp = { size_bytes: 1234, mtime_ms: 1_700_000_000_123.456 };
const inspection = {
  info: { sha256: "ab", size_bytes: 1234, width_px: 640, height_px: 480, turned: true },
  hashes: Uint32Array.from({ length: 32 }, (_, index) => 0xffffffff - index),
};

describe("the cache of inspections", () => {
  let folder: string;
  let file: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "cassl-inspections-"));
    file = join(folder, "inspections.db");
  });
  afterEach(() => rm(folder, { recursive: true }));

  it("has what was saved, also when it is opened again", () => {
    const first = openInspections(file);
    assert.equal(first.find("/a.jpg", stamp), undefined);
    first.save("/a.jpg", stamp, inspection);
    assert.deepEqual(first.find("/a.jpg", stamp), inspection);
    first.close();
    const second = openInspections(file);
    assert.deepEqual(second.find("/a.jpg", stamp), inspection);
    second.close();
  });

  it("does not have it for a file that was written to since, of which it keeps the latest", () => {
    const cache = openInspections(file);
    cache.save("/a.jpg", stamp, inspection);
    assert.equal(cache.find("/a.jpg", { ...stamp, mtime_ms: stamp.mtime_ms + 0.001 }), undefined);
    assert.equal(cache.find("/a.jpg", { ...stamp, size_bytes: 1235 }), undefined);
    const later = { ...stamp, size_bytes: 1235 };
    cache.save("/a.jpg", later, inspection);
    assert.deepEqual(cache.find("/a.jpg", later)?.info.size_bytes, 1235);
    assert.equal(cache.find("/a.jpg", stamp), undefined);
    cache.close();
  });

  it("forgets what another version has found", () => {
    const old = openInspections(file);
    old.save("/a.jpg", stamp, inspection);
    old.close();
    const database = openDatabase(file);
    database.exec("PRAGMA user_version = 9999");
    database.close();
    const cache = openInspections(file);
    assert.equal(cache.find("/a.jpg", stamp), undefined);
    cache.close();
  });

  it("is refused if it is no database", async () => {
    await writeFile(file, "not a database, but long enough to be looked at as if it were one".repeat(20));
    assert.throws(() => openInspections(file), { reason: "STORAGE_FAILED", message: /inspections\.db/ });
  });
});
