import { createReadStream } from "node:fs";
import type { ArtifactStore } from "../core/artifacts.js";
import { CasslError } from "../core/errors.js";
import type {
  ArtifactServiceServer,
  GetArtifactResponse,
  PutArtifactRequest,
} from "../gen/cassl/v1/artifact_service.js";
import { clientStreaming, serverStreaming, unary } from "./rpc.js";
import { toStorageError } from "./storage.js";

const CHUNK_BYTES = 256 * 1024;

export function artifactService(artifacts: ArtifactStore): ArtifactServiceServer {
  return {
    statArtifact: unary(async ({ sha256 }) => ({ ref: await artifacts.stat(sha256) })),
    getArtifact: serverStreaming(({ sha256 }) => readChunks(artifacts, sha256)),
    putArtifact: clientStreaming(async (requests) => {
      const messages = requests[Symbol.asyncIterator]();
      const first = await messages.next();
      const message = first.done === true ? undefined : first.value.message;
      if (message?.$case !== "ref") throw malformed("starts without a `ref`");
      await artifacts.putStream(message.value, chunksOf(messages));
      return { ref: message.value };
    }),
  };
}

async function* readChunks(artifacts: ArtifactStore, sha256: string): AsyncGenerator<GetArtifactResponse> {
  const file = await artifacts.path(sha256);
  try {
    for await (const chunk of createReadStream(file, { highWaterMark: CHUNK_BYTES })) yield { chunk: chunk as Buffer };
  } catch (error) {
    throw toStorageError(error, `Artifact ${sha256} cannot be read`);
  }
}

async function* chunksOf(messages: AsyncIterator<PutArtifactRequest>): AsyncGenerator<Uint8Array> {
  for (let next = await messages.next(); next.done !== true; next = await messages.next()) {
    const { message } = next.value;
    if (message?.$case !== "chunk") throw malformed("has a second message that is no `chunk`");
    yield message.value;
  }
}

function malformed(fault: string): CasslError {
  return new CasslError("ARTIFACT_CORRUPT", `The PutArtifact stream ${fault}.`, "Send `ref` first, then `chunk`s.");
}
