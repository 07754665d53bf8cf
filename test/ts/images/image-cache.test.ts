import assert from "node:assert/strict";
import { readdir, readFile, utimes, writeFile } from "node:fs/promises";
import { sha256 } from "../../../ts/core/hash.js";
import { openImageCache } from "../../../ts/images/image-cache.js";
import { temporaryFolder } from "../data/fixtures.js";

const bytesOf = (seed: number): Buffer => Buffer.alloc(300, seed);

describe("the cache of images", () => {
  const at = temporaryFolder();

  it("gives what was added, by its hash", async () => {
    const cache = openImageCache(at("images"), 10_000);
    assert.equal(await cache.find(sha256(bytesOf(1))), undefined);
    await cache.add(bytesOf(1));
    assert.deepEqual(await readFile((await cache.find(sha256(bytesOf(1)))) ?? ""), bytesOf(1));
  });

  it("forgets what was damaged", async () => {
    const cache = openImageCache(at("images"), 10_000);
    await cache.add(bytesOf(1));
    await writeFile((await cache.find(sha256(bytesOf(1)))) ?? "", "damaged");
    assert.equal(await cache.find(sha256(bytesOf(1))), undefined);
  });

  it("stays within its limit: what was not used for longest goes first", async () => {
    const cache = openImageCache(at("images"), 1000);
    for (const seed of [1, 2, 3]) {
      await cache.add(bytesOf(seed));
      await utimes((await cache.find(sha256(bytesOf(seed)))) ?? "", seed, seed);
    }
    await cache.find(sha256(bytesOf(1)));
    await cache.add(bytesOf(4));
    const found = await Promise.all([1, 2, 3, 4].map((seed) => cache.find(sha256(bytesOf(seed)))));
    assert.deepEqual(
      found.map((path) => path !== undefined),
      [true, false, true, true],
    );
  });

  it("may be shared, and leaves nothing half", async () => {
    const seeds = Array.from({ length: 10 }, (_, seed) => seed);
    const caches = [0, 10, 20].map((from) => ({ cache: openImageCache(at("images"), 2000), from }));
    const fill = async ({ cache, from }: (typeof caches)[number]): Promise<void> => {
      for (const seed of seeds) await cache.add(bytesOf(from + seed));
    };
    await Promise.all(caches.map(fill));
    await openImageCache(at("images"), 2000).add(bytesOf(99));
    const names = await readdir(at("images"), { recursive: true });
    assert.ok(names.every((name) => !name.includes("partial")));
    assert.ok(names.filter((name) => name.length > 64).length <= 6);
  });
});
