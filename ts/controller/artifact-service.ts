import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { CasslError } from "../core/errors.js";
import type {
  ArtifactServiceServer,
  GetArtifactResponse,
  PutArtifactRequest,
} from "../gen/cassl/v1/artifact_service.js";
import type { ResumableArtifactStore } from "./artifacts.js";
import { clientStreaming, serverStreaming, unary } from "./rpc.js";
import { toStorageError } from "./storage.js";

const CHUNK_BYTES = 256 * 1024;
const MOST_CHUNK_BYTES = 2 ** 20;
/** More than the checkpoint of any detector, with its optimizer. */
const MOST_ARTIFACT_BYTES = 16 * 2 ** 30;

/** Bad requests are refused with REQUEST_INVALID, large artifacts with LIMIT_EXCEEDED. */
export function artifactService(artifacts: ResumableArtifactStore): ArtifactServiceServer {
  return {
    statArtifact: unary(async ({ sha256 }) => {
      checkHash(sha256);
      const ref = await artifacts.stat(sha256);
      return { ref, received_bytes: ref === undefined ? await artifacts.received(sha256) : 0 };
    }),
    getArtifact: serverStreaming(({ sha256, offset }) => readChunks(artifacts, sha256, offset)),
    putArtifact: clientStreaming(async (requests) => {
      const messages = requests[Symbol.asyncIterator]();
      const first = await messages.next();
      const { message, offset = 0 } = first.done === true ? {} : first.value;
      if (message?.$case !== "ref") throw malformed("starts without a `ref`");
      const { sha256, size_bytes } = message.value;
      checkHash(sha256);
      checkCount("size_bytes", size_bytes);
      if (size_bytes > MOST_ARTIFACT_BYTES) throw tooLarge(size_bytes);
      checkCount("offset", offset);
      await artifacts.resumeStream(message.value, offset, chunksOf(messages));
      return { ref: message.value };
    }),
  };
}

async function* readChunks(
  artifacts: ResumableArtifactStore,
  sha256: string,
  offset: number,
): AsyncGenerator<GetArtifactResponse> {
  checkHash(sha256);
  checkCount("offset", offset);
  const file = await artifacts.path(sha256);
  try {
    const { size } = await stat(file);
    if (offset > size)
      throw invalid(`\`offset\` is ${offset}, but the artifact has ${size} bytes`, "Start inside of it.");
    const options = { start: offset, highWaterMark: CHUNK_BYTES };
    for await (const chunk of createReadStream(file, options)) yield { chunk: chunk as Buffer };
  } catch (error) {
    throw toStorageError(error, `Artifact ${sha256} cannot be read`);
  }
}

async function* chunksOf(messages: AsyncIterator<PutArtifactRequest>): AsyncGenerator<Uint8Array> {
  for (let next = await messages.next(); next.done !== true; next = await messages.next()) {
    const { message } = next.value;
    if (message?.$case !== "chunk") throw malformed("has a second message that is no `chunk`");
    if (message.value.length > MOST_CHUNK_BYTES) throw malformed(`has a chunk of ${message.value.length} bytes`);
    yield message.value;
  }
}

function checkHash(sha256: string): void {
  if (/^[0-9a-f]{64}$/.test(sha256)) return;
  const remedy = "Give the SHA-256 of the artifact's bytes in lower-case hex.";
  throw invalid(`\`sha256\` is ${JSON.stringify(sha256.slice(0, 100))}`, remedy);
}

function checkCount(field: string, value: number): void {
  if (value < 0) throw invalid(`\`${field}\` is ${value}`, "Give a number of bytes.");
}

function tooLarge(bytes: number): CasslError {
  const message = `The artifact has ${bytes} bytes; the controller takes ${MOST_ARTIFACT_BYTES}.`;
  return new CasslError("LIMIT_EXCEEDED", message, "Store less in one artifact.");
}

function malformed(fault: string): CasslError {
  return invalid(`The PutArtifact stream ${fault}`, "Send `ref` first, then `chunk`s of at most 256 KiB.");
}

function invalid(fault: string, remedy: string): CasslError {
  return new CasslError("REQUEST_INVALID", `${fault}.`, remedy);
}
