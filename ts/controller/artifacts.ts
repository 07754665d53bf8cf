/** The artifact store on the file system: `<folder>/<first 2 hex digits>/<sha256>`. */
import { createHash, randomUUID } from "node:crypto";
import { type FileHandle, mkdir, open, readFile, rename, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { ArtifactStore } from "../core/artifacts.js";
import { CasslError } from "../core/errors.js";
import { sha256 as hashOf } from "../core/hash.js";
import type { ArtifactRef } from "../gen/cassl/v1/artifact_service.js";
import { toStorageError } from "./storage.js";

/**
 * Opens the store. One process at a time may have it open: what a killed process left half-written is removed.
 * A file appears under its hash only when it is whole, by an atomic rename, so the temporary ones are in the same folder.
 */
export async function openArtifactStore(folder: string): Promise<ArtifactStore> {
  const temporary = join(folder, "tmp");
  await stored(folder, async () => {
    await rm(temporary, { recursive: true, force: true });
    await mkdir(temporary, { recursive: true });
  });

  async function putStream(ref: ArtifactRef, chunks: AsyncIterable<Uint8Array>): Promise<void> {
    if (!isHash(ref.sha256)) throw corrupt(ref, "it is not a SHA-256 in lower-case hex");
    const file = join(temporary, randomUUID());
    try {
      await writeVerified(file, ref, chunks);
      await stored(file, () => moveInto(file, fileOf(folder, ref.sha256)));
    } catch (error) {
      // What cannot be removed now is swept at the next start.
      await rm(file, { force: true }).catch(() => {});
      throw error;
    }
  }

  async function refOf(sha256: string): Promise<ArtifactRef | undefined> {
    if (!isHash(sha256)) return undefined;
    const file = fileOf(folder, sha256);
    const size = await stored(file, () => unlessMissing(stat(file).then((stats) => stats.size)));
    return size === undefined ? undefined : { sha256, size_bytes: size };
  }

  async function path(sha256: string): Promise<string> {
    if ((await refOf(sha256)) === undefined) throw notFound(sha256);
    return fileOf(folder, sha256);
  }

  return {
    async put(bytes) {
      const ref = { sha256: hashOf(bytes), size_bytes: bytes.byteLength };
      if ((await refOf(ref.sha256)) === undefined) await putStream(ref, once(bytes));
      return ref;
    },
    putStream,
    async read(sha256) {
      const file = await path(sha256);
      return stored(file, () => readFile(file));
    },
    path,
    stat: refOf,
    async remove(sha256) {
      if (isHash(sha256)) await stored(sha256, () => rm(fileOf(folder, sha256), { force: true }));
    },
  };
}

/** Writes chunks to a new file, through to the disk. ARTIFACT_CORRUPT if they are not what `ref` says. */
async function writeVerified(file: string, ref: ArtifactRef, chunks: AsyncIterable<Uint8Array>): Promise<void> {
  const handle = await stored(file, () => open(file, "wx"));
  try {
    const { sha256, size_bytes } = await writeAll(handle, file, ref, chunks);
    if (size_bytes !== ref.size_bytes)
      throw corrupt(ref, `the ${size_bytes} bytes that came are not ${ref.size_bytes}`);
    if (sha256 !== ref.sha256) throw corrupt(ref, `the bytes that came have the hash ${sha256}`);
    await stored(file, () => handle.sync());
  } finally {
    await handle.close();
  }
}

async function writeAll(
  handle: FileHandle,
  file: string,
  ref: ArtifactRef,
  chunks: AsyncIterable<Uint8Array>,
): Promise<ArtifactRef> {
  const hash = createHash("sha256");
  let size = 0;
  for await (const chunk of chunks) {
    size += chunk.byteLength;
    if (size > ref.size_bytes) throw corrupt(ref, `more than ${ref.size_bytes} bytes came`);
    hash.update(chunk);
    await stored(file, () => handle.writeFile(chunk));
  }
  return { sha256: hash.digest("hex"), size_bytes: size };
}

async function moveInto(file: string, place: string): Promise<void> {
  await mkdir(dirname(place), { recursive: true });
  await rename(file, place);
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

function fileOf(folder: string, sha256: string): string {
  return join(folder, sha256.slice(0, 2), sha256);
}

function isHash(sha256: string): boolean {
  return /^[0-9a-f]{64}$/.test(sha256);
}

async function stored<T>(file: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw toStorageError(error, `The artifact store failed at ${file}`);
  }
}

async function unlessMissing<T>(result: Promise<T>): Promise<T | undefined> {
  try {
    return await result;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

function corrupt(ref: ArtifactRef, fault: string): CasslError {
  return new CasslError("ARTIFACT_CORRUPT", `Artifact ${ref.sha256}: ${fault}.`, "Send the artifact again.");
}

function notFound(sha256: string): CasslError {
  return new CasslError("ARTIFACT_NOT_FOUND", `There is no artifact ${sha256}.`, "Run the step that makes it again.");
}
