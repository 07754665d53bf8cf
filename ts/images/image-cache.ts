/**
 * A folder of images that came from elsewhere, named by their SHA-256. Several processes may share it: files appear whole,
 * and the time of their last change is that of their last use. What was not used for longest goes first.
 */
import { randomUUID } from "node:crypto";
import { mkdir, readdir, readFile, rename, rm, stat, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { sha256 as hashOf } from "../core/hash.js";

export interface ImageCache {
  /** The path of the file, which was whole a moment ago; undefined if it is not there. */
  find(sha256: string): Promise<string | undefined>;
  add(bytes: Uint8Array): Promise<void>;
}

/** How much of the limit may be added before it is looked again whether others have added something too. */
const LOOK_EVERY = 1 / 16;

/** Made if it is not there. @param maxBytes of all files, and soon again where several add to them at once. */
export function openImageCache(folder: string, maxBytes: number): ImageCache {
  let unseen = Number.POSITIVE_INFINITY;
  const pathOf = (sha256: string): string => join(folder, sha256.slice(0, 2), sha256);

  return {
    async find(sha256) {
      const path = pathOf(sha256);
      const bytes = await readFile(path).catch(() => undefined);
      if (bytes === undefined) return undefined;
      if (hashOf(bytes) === sha256) {
        const now = new Date();
        await utimes(path, now, now).catch(() => {});
        return path;
      }
      await rm(path, { force: true });
      return undefined;
    },
    async add(bytes) {
      const path = pathOf(hashOf(bytes));
      await mkdir(join(path, ".."), { recursive: true });
      const partial = `${path}.${randomUUID()}.partial`;
      try {
        await writeFile(partial, bytes);
        await rename(partial, path);
      } finally {
        await rm(partial, { force: true });
      }
      unseen += bytes.length;
      if (unseen < maxBytes * LOOK_EVERY) return;
      unseen = 0;
      await removeOldest(folder, maxBytes * (1 - LOOK_EVERY));
    },
  };
}

async function removeOldest(folder: string, maxBytes: number): Promise<void> {
  const names = await readdir(folder, { recursive: true });
  const files: { path: string; size: number; mtimeMs: number }[] = [];
  for (const name of names) {
    const stats = await stat(join(folder, name)).catch(() => undefined);
    if (stats?.isFile()) files.push({ path: join(folder, name), size: stats.size, mtimeMs: stats.mtimeMs });
  }
  let total = files.reduce((sum, { size }) => sum + size, 0);
  for (const { path, size } of files.sort((a, b) => a.mtimeMs - b.mtimeMs)) {
    if (total <= maxBytes) return;
    await rm(path, { force: true });
    total -= size;
  }
}
