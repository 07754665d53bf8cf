/** The artifact store on the file system: `<folder>/<first 2 hex digits>/<sha256>`. */
import { randomUUID } from "node:crypto";
import { mkdir, readdir, readFile, rename, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { ArtifactStore } from "../core/artifacts.js";
import { CasslError } from "../core/errors.js";
import { sha256 as hashOf } from "../core/hash.js";
import type { ArtifactRef } from "../gen/cassl/v1/artifact_service.js";
import { corrupt, flushedRef, hashOfStart, isBreak, stored, writeVerified } from "./artifact-file.js";

const KEPT_MS = 24 * 3600 * 1000;

/** A store that goes on with what has broken off. */
export interface ResumableArtifactStore extends ArtifactStore {
  /**
   * As `putStream`, of chunks that start at `offset`; what arrives before the stream breaks is kept for the next try,
   * for a day at least, also over a restart. REQUEST_INVALID if less than `offset` has arrived.
   */
  resumeStream(ref: ArtifactRef, offset: number, chunks: AsyncIterable<Uint8Array>): Promise<void>;
  /** How many bytes `resumeStream` has kept of an artifact. */
  received(sha256: string): Promise<number>;
}

/**
 * Opens the store. One process at a time may have it open: what a killed process left half-written is removed, but for
 * artifacts whose sender may yet go on.
 * A file appears under its hash only when it is whole, by an atomic rename, so the temporary ones are in the same folder.
 * One that was damaged since is removed when it is first met, as if it had never been there: what made it makes it again.
 */
export async function openArtifactStore(folder: string): Promise<ResumableArtifactStore> {
  const temporary = join(folder, "tmp");
  await stored(folder, () => sweep(temporary));

  /** Artifacts that arrive at this moment, whose kept bytes belong to one stream. */
  const arriving = new Set<string>();

  /** @param keeps whether a stream that breaks leaves what has arrived. */
  async function writeInto(
    file: string,
    ref: ArtifactRef,
    offset: number,
    chunks: AsyncIterable<Uint8Array>,
    keeps: boolean,
  ): Promise<void> {
    try {
      await writeVerified(file, ref, offset, chunks);
      await stored(file, () => moveInto(file, artifactFile(folder, ref.sha256)));
    } catch (error) {
      // What cannot be removed now is swept at the next start.
      if (!keeps || !isBreak(error)) await rm(file, { force: true }).catch(() => {});
      throw error;
    }
  }

  async function putStream(ref: ArtifactRef, chunks: AsyncIterable<Uint8Array>): Promise<void> {
    if (!isHash(ref.sha256)) throw corrupt(ref, "it is not a SHA-256 in lower-case hex");
    await writeInto(join(temporary, randomUUID()), ref, 0, chunks, false);
  }

  async function received(sha256: string): Promise<number> {
    if (!isHash(sha256) || arriving.has(sha256)) return 0;
    const file = join(temporary, sha256);
    return (await stored(file, () => unlessMissing(stat(file).then(({ size }) => size)))) ?? 0;
  }

  async function resumeStream(ref: ArtifactRef, offset: number, chunks: AsyncIterable<Uint8Array>): Promise<void> {
    const arrived = await received(ref.sha256);
    if (offset > arrived) throw beyond(ref, offset, arrived);
    if (!isHash(ref.sha256) || arriving.has(ref.sha256)) return putStream(ref, chunks);
    arriving.add(ref.sha256);
    try {
      await writeInto(join(temporary, ref.sha256), ref, offset, chunks, true);
    } finally {
      arriving.delete(ref.sha256);
    }
  }

  async function putFile(write: (path: string) => Promise<void>): Promise<ArtifactRef> {
    const file = join(temporary, randomUUID());
    try {
      await write(file);
      return await stored(file, async () => {
        const ref = await flushedRef(file);
        await moveInto(file, artifactFile(folder, ref.sha256));
        return ref;
      });
    } catch (error) {
      await rm(file, { force: true }).catch(() => {});
      throw error;
    }
  }

  /** Modification times in ms of the files that were found to be what they are named by. */
  const whole = new Map<string, number>();

  async function refOf(sha256: string): Promise<ArtifactRef | undefined> {
    if (!isHash(sha256)) return undefined;
    const file = artifactFile(folder, sha256);
    const found = await stored(file, () => unlessMissing(stat(file)));
    if (found === undefined) return undefined;
    if (whole.get(sha256) !== found.mtimeMs) {
      if ((await hashOfStart(file, found.size)).digest("hex") !== sha256) {
        await stored(file, () => rm(file, { force: true }));
        return undefined;
      }
      whole.set(sha256, found.mtimeMs);
    }
    return { sha256, size_bytes: found.size };
  }

  async function path(sha256: string): Promise<string> {
    if ((await refOf(sha256)) === undefined) throw notFound(sha256);
    return artifactFile(folder, sha256);
  }

  return {
    async put(bytes) {
      const ref = { sha256: hashOf(bytes), size_bytes: bytes.byteLength };
      if ((await refOf(ref.sha256)) === undefined) await putStream(ref, once(bytes));
      return ref;
    },
    putStream,
    resumeStream,
    received,
    putFile,
    async read(sha256) {
      const file = await path(sha256);
      return stored(file, () => readFile(file));
    },
    path,
    stat: refOf,
    async remove(sha256) {
      if (isHash(sha256)) await stored(sha256, () => rm(artifactFile(folder, sha256), { force: true }));
    },
  };
}

/** Leaves the kept bytes of artifacts that have broken off in the last day. */
async function sweep(temporary: string): Promise<void> {
  await mkdir(temporary, { recursive: true });
  for (const name of await readdir(temporary)) {
    const file = join(temporary, name);
    const isKept = isHash(name) && Date.now() - (await stat(file)).mtimeMs < KEPT_MS;
    if (!isKept) await rm(file, { recursive: true, force: true });
  }
}

async function moveInto(file: string, place: string): Promise<void> {
  await mkdir(dirname(place), { recursive: true });
  await rename(file, place);
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

/** Where the artifact is kept. @param folder of all. */
export function artifactFile(folder: string, sha256: string): string {
  return join(folder, sha256.slice(0, 2), sha256);
}

function isHash(sha256: string): boolean {
  return /^[0-9a-f]{64}$/.test(sha256);
}

async function unlessMissing<T>(result: Promise<T>): Promise<T | undefined> {
  try {
    return await result;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

function beyond({ sha256 }: ArtifactRef, offset: number, arrived: number): CasslError {
  return new CasslError(
    "REQUEST_INVALID",
    `\`offset\` is ${offset}, but ${arrived} bytes of artifact ${sha256} have arrived.`,
    "Ask StatArtifact for `received_bytes`, and send what follows.",
  );
}

function notFound(sha256: string): CasslError {
  return new CasslError("ARTIFACT_NOT_FOUND", `There is no artifact ${sha256}.`, "Run the step that makes it again.");
}
