/** Small data on disk for the tests of curation. */
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import sharp, { type Sharp } from "sharp";
import type { ArtifactStore } from "../../../ts/core/artifacts.js";
import { CasslError } from "../../../ts/core/errors.js";
import { sha256 } from "../../../ts/core/hash.js";

/** A folder that is there for each test of the surrounding `describe`. */
export function temporaryFolder(): (...names: string[]) => string {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "cassl-data-"));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));
  return (...names) => join(folder, ...names);
}

/** An image of noise, which is the same for the same seed. */
export function noise(seed: number, width = 32, height = 24): Sharp {
  const pixels = Buffer.from(
    Uint8Array.from(
      { length: width * height * 3 },
      (_, index) => (index * 37 + seed * 101 + ((index * seed) >> 2)) & 255,
    ),
  );
  return sharp(pixels, { raw: { width, height, channels: 3 } });
}

export async function writeImage(path: string, seed: number, width = 32, height = 24): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await noise(seed, width, height).toFile(path);
}

export interface CocoDocument {
  images: Record<string, unknown>[];
  annotations: Record<string, unknown>[];
  categories: Record<string, unknown>[];
}

/** A COCO file of the images 1.jpg, 2.jpg, ... of 32 x 24 px, with one box each, of the classes 2 and 5 in turn. */
export function cocoDocument(ids: readonly number[]): CocoDocument {
  return {
    images: ids.map((id) => ({ id, file_name: `${id}.jpg`, width: 32, height: 24 })),
    annotations: ids.map((id) => ({
      id: 100 + id,
      image_id: id,
      category_id: id % 2 === 1 ? 2 : 5,
      bbox: [4, 4, 10, 8],
      area: 80,
      iscrowd: 0,
    })),
    categories: [
      { id: 5, name: "dog" },
      { id: 2, name: "cat" },
    ],
  };
}

export async function writeJson(path: string, value: unknown): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, JSON.stringify(value));
}

export function memoryArtifacts(): ArtifactStore {
  const blobs = new Map<string, Uint8Array>();
  const read = async (hash: string): Promise<Uint8Array> => {
    const bytes = blobs.get(hash);
    if (bytes === undefined)
      throw new CasslError("ARTIFACT_NOT_FOUND", `There is no artifact ${hash}.`, "Make it again.");
    return Promise.resolve(bytes);
  };
  return {
    read,
    put: async (bytes) => {
      const ref = { sha256: sha256(bytes), size_bytes: bytes.byteLength };
      blobs.set(ref.sha256, bytes);
      return Promise.resolve(ref);
    },
    putStream: () => Promise.reject(new Error("not needed here")),
    path: () => Promise.reject(new Error("not needed here")),
    stat: async (hash) =>
      Promise.resolve(blobs.has(hash) ? { sha256: hash, size_bytes: (await read(hash)).byteLength } : undefined),
    remove: async (hash) => {
      blobs.delete(hash);
      return Promise.resolve();
    },
  };
}
