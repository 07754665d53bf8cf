/** One file of the artifact store while its bytes arrive. */
import { createHash, type Hash } from "node:crypto";
import { createReadStream } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { CasslError } from "../core/errors.js";
import type { ArtifactRef } from "../gen/cassl/v1/artifact_service.js";
import { toStorageError } from "./storage.js";

/**
 * Writes chunks to a file after its first `offset` bytes, through to the disk. ARTIFACT_CORRUPT if the file is not what
 * `ref` says then.
 */
export async function writeVerified(
  file: string,
  ref: ArtifactRef,
  offset: number,
  chunks: AsyncIterable<Uint8Array>,
): Promise<void> {
  const hash = await hashOfStart(file, offset);
  const handle = await stored(file, () => open(file, offset === 0 ? "w" : "r+"));
  try {
    await stored(file, () => handle.truncate(offset));
    const { sha256, size_bytes } = await writeAll(handle, file, ref, offset, hash, chunks);
    if (size_bytes !== ref.size_bytes) throw cutOff(ref, size_bytes);
    if (sha256 !== ref.sha256) throw corrupt(ref, `the bytes that came have the hash ${sha256}`);
    await stored(file, () => handle.sync());
  } finally {
    await handle.close();
  }
}

const CUT_OFF = "the bytes have ended early";

function cutOff(ref: ArtifactRef, size: number): CasslError {
  return corrupt(ref, `the ${size} bytes that came are not ${ref.size_bytes}`, { cause: CUT_OFF });
}

/** Whether a stream has failed or ended before all bytes came. gRPC ends one that its sender breaks off as if it were whole. */
export function isBreak(error: unknown): boolean {
  return !(error instanceof CasslError) || error.cause === CUT_OFF;
}

async function writeAll(
  handle: FileHandle,
  file: string,
  ref: ArtifactRef,
  offset: number,
  hash: Hash,
  chunks: AsyncIterable<Uint8Array>,
): Promise<ArtifactRef> {
  let size = offset;
  for await (const chunk of chunks) {
    if (size + chunk.byteLength > ref.size_bytes) throw corrupt(ref, `more than ${ref.size_bytes} bytes came`);
    hash.update(chunk);
    await stored(file, () => writeAt(handle, chunk, size));
    size += chunk.byteLength;
  }
  return { sha256: hash.digest("hex"), size_bytes: size };
}

/** A single write may take less than it is given. */
async function writeAt(handle: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < bytes.byteLength; ) {
    done += (await handle.write(bytes, done, bytes.byteLength - done, position + done)).bytesWritten;
  }
}

/** Of the first `length` bytes of a file. */
export async function hashOfStart(file: string, length: number): Promise<Hash> {
  const hash = createHash("sha256");
  if (length === 0) return hash;
  await stored(file, async () => {
    for await (const chunk of createReadStream(file, { end: length - 1 })) hash.update(chunk as Buffer);
  });
  return hash;
}

export async function stored<T>(file: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw toStorageError(error, `The artifact store failed at ${file}`);
  }
}

export function corrupt(ref: ArtifactRef, fault: string, options?: ErrorOptions): CasslError {
  return new CasslError("ARTIFACT_CORRUPT", `Artifact ${ref.sha256}: ${fault}.`, "Send the artifact again.", options);
}

/** What a file holds, brought through to the disk. */
export async function flushedRef(file: string): Promise<ArtifactRef> {
  const handle = await open(file);
  try {
    await handle.sync();
    const hash = createHash("sha256");
    let size_bytes = 0;
    for await (const chunk of handle.createReadStream({ autoClose: false }) as AsyncIterable<Buffer>) {
      hash.update(chunk);
      size_bytes += chunk.length;
    }
    return { sha256: hash.digest("hex"), size_bytes };
  } finally {
    await handle.close();
  }
}
