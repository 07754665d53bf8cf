/** Small data on disk for the tests of curation. */
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import sharp, { type Sharp } from "sharp";
import type { ArtifactStore } from "../../../ts/core/artifacts.js";
import { CasslError } from "../../../ts/core/errors.js";
import { sha256 } from "../../../ts/core/hash.js";
import { seededRandom } from "../../../ts/core/random.js";

/** A folder that is there for each test of the surrounding `describe`. */
export function temporaryFolder(): (...names: string[]) => string {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "cassl-data-"));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));
  return (...names) => join(folder, ...names);
}

/** What a configuration says of data beside where it is: the defaults. */
export const policies = {
  bad_images: "error",
  bad_boxes: "error",
  max_image_pixels: 100_000_000,
  leak_firewall: { enabled: true, max_distance: 0.04, labeled: "error" },
  remote: { hosts: [], timeout_seconds: 30, s3_endpoint: "https://s3.amazonaws.com", version: 1 },
} as const;

const SPOTS = { across: 12, down: 9 };

/** A picture of spots as large as the things on a photo, which is the same for the same seed. */
export function scene(seed: number, width = 320, height = 240): Sharp {
  const random = seededRandom(seed);
  const spots = Array.from({ length: 3 * SPOTS.across * SPOTS.down }, () => 256 * random());
  const spot = (column: number, row: number, channel: number): number =>
    spots[3 * (Math.min(row, SPOTS.down - 1) * SPOTS.across + Math.min(column, SPOTS.across - 1)) + channel] as number;
  const pixels = Buffer.alloc(3 * width * height);
  for (let index = 0; index < pixels.length; index++) {
    const pixel = Math.floor(index / 3);
    const x = ((pixel % width) / width) * (SPOTS.across - 1);
    const y = (Math.floor(pixel / width) / height) * (SPOTS.down - 1);
    const [column, row] = [Math.floor(x), Math.floor(y)];
    const at = (down: number): number =>
      spot(column, row + down, index % 3) * (1 - (x - column)) + spot(column + 1, row + down, index % 3) * (x - column);
    pixels[index] = at(0) * (1 - (y - row)) + at(1) * (y - row);
  }
  return sharp(pixels, { raw: { width, height, channels: 3 } });
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
    putStream: async ({ sha256: hash }, chunks) => {
      const parts = [];
      for await (const chunk of chunks) parts.push(chunk);
      blobs.set(hash, Buffer.concat(parts));
    },
    putFile: async (write) => {
      const folder = await mkdtemp(join(tmpdir(), "cassl-artifact-"));
      await write(join(folder, "file"));
      const bytes = await readFile(join(folder, "file"));
      await rm(folder, { recursive: true });
      blobs.set(sha256(bytes), bytes);
      return { sha256: sha256(bytes), size_bytes: bytes.byteLength };
    },
    path: () => Promise.reject(new Error("not needed here")),
    stat: async (hash) =>
      Promise.resolve(blobs.has(hash) ? { sha256: hash, size_bytes: (await read(hash)).byteLength } : undefined),
    remove: async (hash) => {
      blobs.delete(hash);
      return Promise.resolve();
    },
  };
}
