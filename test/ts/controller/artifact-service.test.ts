import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { readdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { credentials, type ServiceError } from "@grpc/grpc-js";
import { sha256 } from "../../../ts/core/hash.js";
import {
  type ArtifactRef,
  ArtifactServiceClient,
  type PutArtifactRequest,
  type PutArtifactResponse,
} from "../../../ts/gen/cassl/v1/artifact_service.js";
import { fromStatus } from "../../../ts/grpc/status.js";
import { openWorkbench, type Workbench } from "./workbench.js";

const CHUNK = 256 * 1024;

describe("artifact service", () => {
  const bytes = randomBytes(3 * CHUNK + 17);
  const ref = { sha256: sha256(bytes), size_bytes: bytes.length };
  let bench: Workbench;
  let client: ArtifactServiceClient;

  beforeEach(async () => {
    bench = await openWorkbench();
    client = new ArtifactServiceClient(bench.address, credentials.createInsecure());
  });
  afterEach(async () => {
    client.close();
    await bench.close();
  });

  function put(messages: PutArtifactRequest["message"][]): Promise<PutArtifactResponse> {
    return new Promise((resolve, reject) => {
      const call = client.putArtifact((error, response) =>
        error === null ? resolve(response) : reject(fromStatus(error, "")),
      );
      for (const message of messages) call.write({ message });
      call.end();
    });
  }

  const messages = (named: ArtifactRef, content: Uint8Array): PutArtifactRequest["message"][] => [
    { $case: "ref", value: named },
    ...Array.from({ length: Math.ceil(content.length / CHUNK) }, (_, index) => ({
      $case: "chunk" as const,
      value: content.subarray(index * CHUNK, (index + 1) * CHUNK),
    })),
  ];

  const get = async (hash: string): Promise<Buffer[]> => {
    const chunks: Buffer[] = [];
    for await (const { chunk } of client.getArtifact({ sha256: hash })) chunks.push(chunk as Buffer);
    return chunks;
  };

  it("stores a stream and gives it back in chunks of at most 256 KiB", async () => {
    assert.deepEqual(await put(messages(ref, bytes)), { ref });
    const chunks = await get(ref.sha256);
    assert.ok(chunks.every((chunk) => chunk.length <= CHUNK));
    assert.ok(Buffer.concat(chunks).equals(bytes));
  });

  it("refuses bytes that are not what their name says", async () => {
    await assert.rejects(put(messages(ref, bytes.subarray(1))), { reason: "ARTIFACT_CORRUPT" });
    assert.equal(await bench.artifacts.stat(ref.sha256), undefined);
  });

  it("refuses a stream without a ref, and one without anything", async () => {
    await assert.rejects(put(messages(ref, bytes).slice(1)), { reason: "ARTIFACT_CORRUPT", message: /ref/ });
    await assert.rejects(put([]), { reason: "ARTIFACT_CORRUPT", message: /ref/ });
  });

  it("says which artifact is not there", async () => {
    await assert.rejects(
      get(ref.sha256),
      (error) => fromStatus(error as ServiceError, "").reason === "ARTIFACT_NOT_FOUND",
    );
  });

  it("leaves nothing of a stream that breaks", async () => {
    const call = client.putArtifact(() => {});
    for (const message of messages(ref, bytes).slice(0, 3)) call.write({ message });
    const other = await bench.artifacts.put(Buffer.from("other"));
    const temporary = join(dirname(dirname(await bench.artifacts.path(other.sha256))), "tmp");
    while ((await readdir(temporary)).length === 0) await new Promise(setImmediate);
    call.cancel();
    while ((await readdir(temporary)).length > 0) await new Promise(setImmediate);
    assert.equal(await bench.artifacts.stat(ref.sha256), undefined);
  });
});
