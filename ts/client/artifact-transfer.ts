/** Artifacts to and from the controller, in chunks, going on where a connection broke. */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { CasslError } from "../core/errors.js";
import type { ArtifactRef, ArtifactServiceClient, PutArtifactRequest } from "../gen/cassl/v1/artifact_service.js";
import { type CallContext, type CallSettings, callUnary, readStream, sendStream } from "./calls.js";
import { createRetries, resumingStream } from "./resuming.js";

const CHUNK_BYTES = 256 * 1024;

/** The bytes of an artifact in chunks. ARTIFACT_CORRUPT after the last one if they do not have its hash. */
export async function* download(
  service: ArtifactServiceClient,
  sha256: string,
  context: CallContext,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array, void, undefined> {
  const hash = createHash("sha256");
  const open = (offset: number) => readStream(() => service.getArtifact({ sha256, offset }), context, signal);
  for await (const { chunk } of resumingStream(open, 0, (offset, item) => offset + item.chunk.length, signal)) {
    hash.update(chunk);
    yield chunk;
  }
  const found = hash.digest("hex");
  if (found === sha256) return;
  throw new CasslError(
    "ARTIFACT_CORRUPT",
    `The bytes that came as artifact ${sha256} have the hash ${found}.`,
    "Get it again; if this stays, the controller's copy is damaged.",
  );
}

/** Sends what the controller lacks of an artifact. */
export async function upload(
  service: ArtifactServiceClient,
  source: Uint8Array | string,
  context: CallContext,
  settings: CallSettings,
): Promise<ArtifactRef> {
  const ref = await refOf(source);
  const retries = createRetries(settings.signal);
  for (;;) {
    try {
      const request = { sha256: ref.sha256 };
      const known = await callUnary(service.statArtifact.bind(service), request, context, settings);
      retries.succeed();
      if (known.ref !== undefined) return ref;
      const messages = putMessages(ref, source, Math.min(known.received_bytes, ref.size_bytes));
      await sendStream((callback) => service.putArtifact(callback), messages, context, settings);
      return ref;
    } catch (error) {
      await retries.afterFailure(error);
    }
  }
}

async function* putMessages(
  ref: ArtifactRef,
  source: Uint8Array | string,
  offset: number,
): AsyncGenerator<PutArtifactRequest> {
  yield { message: { $case: "ref", value: ref }, offset };
  for await (const value of chunksOf(source, offset)) yield { message: { $case: "chunk", value }, offset: 0 };
}

/** FILE_NOT_FOUND if a file cannot be read. */
async function refOf(source: Uint8Array | string): Promise<ArtifactRef> {
  const hash = createHash("sha256");
  for await (const chunk of chunksOf(source, 0)) hash.update(chunk);
  const size = typeof source === "string" ? (await stat(source)).size : source.byteLength;
  return { sha256: hash.digest("hex"), size_bytes: size };
}

async function* chunksOf(source: Uint8Array | string, offset: number): AsyncGenerator<Uint8Array> {
  if (typeof source !== "string") {
    for (let start = offset; start < source.byteLength; start += CHUNK_BYTES) {
      yield source.subarray(start, start + CHUNK_BYTES);
    }
    return;
  }
  try {
    const options = { start: offset, highWaterMark: CHUNK_BYTES };
    for await (const chunk of createReadStream(source, options)) yield chunk as Buffer;
  } catch (error) {
    const remedy = "Correct the path.";
    throw new CasslError("FILE_NOT_FOUND", `The file ${source} cannot be read.`, remedy, { cause: error });
  }
}
