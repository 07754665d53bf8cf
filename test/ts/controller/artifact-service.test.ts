import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { stat as fileStat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { credentials, type ServiceError } from "@grpc/grpc-js";
import { sha256 } from "../../../ts/core/hash.js";
import {
  type ArtifactRef,
  ArtifactServiceClient,
  type PutArtifactRequest,
  type PutArtifactResponse,
  type StatArtifactResponse,
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

  function put(messages: PutArtifactRequest["message"][], offset = 0): Promise<PutArtifactResponse> {
    return new Promise((resolve, reject) => {
      const call = client.putArtifact((error, response) =>
        error === null ? resolve(response) : reject(fromStatus(error, "")),
      );
      for (const message of messages) call.write({ message, offset });
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

  const get = async (hash: string, offset = 0): Promise<Buffer[]> => {
    const chunks: Buffer[] = [];
    try {
      for await (const { chunk } of client.getArtifact({ sha256: hash, offset })) chunks.push(chunk as Buffer);
    } catch (error) {
      throw fromStatus(error as ServiceError, "");
    }
    return chunks;
  };

  const stat = (hash: string): Promise<StatArtifactResponse> =>
    new Promise((resolve, reject) => {
      client.statArtifact({ sha256: hash }, (error, response) =>
        error === null ? resolve(response) : reject(fromStatus(error, "")),
      );
    });

  /** Sends the first chunks, waits until all of them have arrived, and breaks the stream off. */
  async function breakOff(chunkCount: number): Promise<void> {
    const call = client.putArtifact(() => {});
    for (const message of messages(ref, bytes).slice(0, 1 + chunkCount)) call.write({ message, offset: 0 });
    const other = await bench.artifacts.put(Buffer.from("other"));
    const kept = join(dirname(dirname(await bench.artifacts.path(other.sha256))), "tmp", ref.sha256);
    const size = (): Promise<number> =>
      fileStat(kept).then(
        (stats) => stats.size,
        () => 0,
      );
    while ((await size()) < chunkCount * CHUNK) await new Promise(setImmediate);
    call.cancel();
    while ((await stat(ref.sha256)).received_bytes === 0) await new Promise(setImmediate);
  }

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
    await assert.rejects(put(messages(ref, bytes).slice(1)), { reason: "REQUEST_INVALID", message: /ref/ });
    await assert.rejects(put([]), { reason: "REQUEST_INVALID", message: /ref/ });
    const huge = messages({ ...ref, size_bytes: 2 ** 40 }, bytes);
    await assert.rejects(put(huge), { reason: "LIMIT_EXCEEDED", message: /1099511627776 bytes/ });
  });

  it("says which artifact is not there", async () => {
    await assert.rejects(get(ref.sha256), { reason: "ARTIFACT_NOT_FOUND" });
  });

  it("gives what follows an offset", async () => {
    await put(messages(ref, bytes));
    assert.ok(Buffer.concat(await get(ref.sha256, CHUNK + 5)).equals(bytes.subarray(CHUNK + 5)));
    assert.deepEqual(await get(ref.sha256, bytes.length), []);
    await assert.rejects(get(ref.sha256, bytes.length + 1), { reason: "REQUEST_INVALID", message: /offset/ });
    await assert.rejects(get(ref.sha256, -1), { reason: "REQUEST_INVALID", message: /offset/ });
  });

  it("keeps what has arrived of a stream that breaks, and goes on from there", async () => {
    await breakOff(2);
    assert.equal(await bench.artifacts.stat(ref.sha256), undefined);
    assert.deepEqual(await stat(ref.sha256), { ref: undefined, received_bytes: 2 * CHUNK });
    const rest = messages(ref, bytes.subarray(CHUNK));
    assert.deepEqual(await put(rest, CHUNK), { ref });
    assert.ok(Buffer.concat(await get(ref.sha256)).equals(bytes));
    assert.equal((await stat(ref.sha256)).received_bytes, 0);
  });

  it("keeps nothing of wrong bytes, wherever they were", async () => {
    await breakOff(1);
    const wrong = Buffer.from(bytes.subarray(CHUNK));
    wrong[0] = (wrong[0] as number) ^ 1;
    await assert.rejects(put(messages(ref, wrong), CHUNK), { reason: "ARTIFACT_CORRUPT" });
    assert.deepEqual(await stat(ref.sha256), { ref: undefined, received_bytes: 0 });
  });

  it("takes the same artifact from two at once", async () => {
    await Promise.all([put(messages(ref, bytes)), put(messages(ref, bytes))]);
    assert.ok(Buffer.concat(await get(ref.sha256)).equals(bytes));
  });

  it("refuses an offset beyond what has arrived, and fields that are none", async () => {
    const invalid = (field: RegExp) => ({ reason: "REQUEST_INVALID", message: field });
    await assert.rejects(put(messages(ref, bytes), 1), invalid(/offset/));
    await assert.rejects(put(messages(ref, bytes), -1), invalid(/offset/));
    await assert.rejects(put(messages({ ...ref, size_bytes: -1 }, bytes)), invalid(/size_bytes/));
    await assert.rejects(
      put([
        { $case: "ref", value: ref },
        { $case: "ref", value: ref },
      ]),
      invalid(/chunk/),
    );
    const huge = { $case: "chunk", value: new Uint8Array(2 ** 20 + 1) } as const;
    await assert.rejects(put([{ $case: "ref", value: ref }, huge]), invalid(/1048577 bytes/));
    for (const hash of ["", "../../etc/passwd", ref.sha256.toUpperCase(), "f".repeat(100_000)]) {
      await assert.rejects(stat(hash), invalid(/sha256/));
      await assert.rejects(get(hash), invalid(/sha256/));
      await assert.rejects(put(messages({ ...ref, sha256: hash }, bytes)), invalid(/sha256/));
    }
  });
});
