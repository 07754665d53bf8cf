import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdir, readdir, rm, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import fc from "fast-check";
import { openArtifactStore } from "../../../ts/controller/artifacts.js";
import type { ArtifactStore } from "../../../ts/core/artifacts.js";
import { CasslError } from "../../../ts/core/errors.js";
import { sha256 } from "../../../ts/core/hash.js";
import { makeFolder } from "./workbench.js";

describe("artifact store", () => {
  let folder: string;
  let store: ArtifactStore;

  beforeEach(async () => {
    folder = await makeFolder();
    store = await openArtifactStore(folder);
  });
  afterEach(() => rm(folder, { recursive: true }));

  const files = async (): Promise<string[]> => {
    const entries = await readdir(folder, { recursive: true, withFileTypes: true });
    return entries.filter((entry) => entry.isFile()).map(({ name }) => name);
  };

  it("gives back the bytes that were put", async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 2000 }), async (bytes) => {
        const ref = await store.put(bytes);
        assert.deepEqual(ref, { sha256: sha256(bytes), size_bytes: bytes.length });
        assert.deepEqual(new Uint8Array(await store.read(ref.sha256)), bytes);
        assert.deepEqual(await store.stat(ref.sha256), ref);
      }),
      { numRuns: 30, seed: 1 },
    );
  });

  it("stores streams in any chunking, and twice is harmless", async () => {
    const bytes = Buffer.from("some bytes in chunks");
    const ref = { sha256: sha256(bytes), size_bytes: bytes.length };
    await store.putStream(ref, chunks(bytes, 3));
    await store.putStream(ref, chunks(bytes, 7));
    assert.deepEqual(Buffer.from(await store.read(ref.sha256)), bytes);
    assert.deepEqual(await files(), [ref.sha256]);
  });

  const good = Buffer.from("the bytes that were meant");
  const ref = { sha256: sha256(good), size_bytes: good.length };
  const corrupt = {
    "other bytes of the same size": Buffer.from("the bytes that were mixed"),
    "too few bytes": good.subarray(1),
    "too many bytes": Buffer.concat([good, good]),
    "no bytes": Buffer.alloc(0),
  };
  for (const [name, bytes] of Object.entries(corrupt)) {
    it(`refuses ${name} and stores nothing`, async () => {
      await assert.rejects(store.putStream(ref, chunks(bytes, 5)), isReason("ARTIFACT_CORRUPT"));
      assert.deepEqual(await files(), []);
    });
  }

  it("refuses a name that is no hash", async () => {
    await assert.rejects(
      store.putStream({ sha256: "../../etc/passwd", size_bytes: 0 }, chunks(good, 1)),
      isReason("ARTIFACT_CORRUPT"),
    );
    assert.equal(await store.stat("../../etc/passwd"), undefined);
  });

  it("passes on the error of a stream that breaks, and stores nothing", async () => {
    const broken = async function* (): AsyncGenerator<Uint8Array> {
      yield good.subarray(0, 4);
      throw new Error("cut");
    };
    await assert.rejects(store.putStream(ref, broken()), /cut/);
    assert.deepEqual(await files(), []);
  });

  it("stores a file that is written for it, and twice is harmless", async () => {
    const large = Buffer.alloc(200_000, 7);
    for (let time = 0; time < 2; time++) {
      const stored = await store.putFile((path) => writeFile(path, large));
      assert.deepEqual(stored, { sha256: sha256(large), size_bytes: large.length });
    }
    assert.deepEqual(Buffer.from(await store.read(sha256(large))), large);
    assert.deepEqual(await files(), [sha256(large)]);
  });

  it("passes on the error of who writes a file, and stores nothing of it", async () => {
    const failing = async (path: string): Promise<void> => {
      await writeFile(path, "half");
      throw new Error("cut");
    };
    await assert.rejects(store.putFile(failing), /^Error: cut$/);
    assert.deepEqual(await files(), []);
  });

  it("says which artifact is not there", async () => {
    await assert.rejects(store.read(ref.sha256), isReason("ARTIFACT_NOT_FOUND"));
    await assert.rejects(store.path(ref.sha256), isReason("ARTIFACT_NOT_FOUND"));
    assert.equal(await store.stat(ref.sha256), undefined);
  });

  it("takes a file that was damaged on disk for none, and stores it again", async () => {
    await store.put(good);
    const path = await store.path(ref.sha256);
    await writeFile(path, Buffer.alloc(good.length));
    store = await openArtifactStore(folder);
    assert.equal(await store.stat(ref.sha256), undefined);
    assert.deepEqual(await files(), []);
    assert.deepEqual(await store.put(good), ref);
    assert.deepEqual(Buffer.from(await store.read(ref.sha256)), Buffer.from(good));
    await writeFile(path, "damaged while the store is open");
    await assert.rejects(store.read(ref.sha256), isReason("ARTIFACT_NOT_FOUND"));
  });

  it("removes artifacts", async () => {
    await store.put(good);
    await store.remove(ref.sha256);
    await store.remove(ref.sha256);
    assert.deepEqual(await files(), []);
  });

  it("sweeps at start what a killed process left half-written", async () => {
    await writeFile(join(folder, "tmp", "half"), "half");
    await openArtifactStore(folder);
    assert.deepEqual(await files(), []);
  });

  it("goes on over a restart with an artifact that has broken off, for a day", async () => {
    const kept = join(folder, "tmp", ref.sha256);
    await writeFile(kept, good.subarray(0, 2));
    const reopened = await openArtifactStore(folder);
    assert.equal(await reopened.received(ref.sha256), 2);
    await reopened.resumeStream(ref, 2, chunks(good.subarray(2), 7));
    assert.deepEqual(await reopened.read(ref.sha256), good);

    await writeFile(kept, good.subarray(0, 2));
    await utimes(kept, new Date(0), new Date(0));
    assert.equal(await (await openArtifactStore(folder)).received(ref.sha256), 0);
  });

  it("fails with STORAGE_FAILED where it cannot write", async () => {
    await rm(join(folder, "tmp"), { recursive: true });
    await writeFile(join(folder, "tmp"), "a file where a folder was");
    await assert.rejects(store.put(good), isReason("STORAGE_FAILED"));
  });

  it("fails with STORAGE_FAILED on a full disk, leaves no part of it, and goes on when there is space", async function () {
    const small = join(folder, "small");
    await mkdir(small);
    try {
      execFileSync("mount", ["-t", "tmpfs", "-o", "size=64k", "tmpfs", small], { stdio: "pipe" });
    } catch {
      console.log("skipped: a small file system cannot be mounted here");
      this.skip();
    }
    try {
      const onSmall = await openArtifactStore(small);
      const large = Buffer.alloc(200_000, 1);
      await assert.rejects(onSmall.put(large), isReason("STORAGE_FAILED"));
      assert.deepEqual(await files(), []);
      execFileSync("mount", ["-o", "remount,size=1m", small]);
      assert.equal((await onSmall.put(large)).size_bytes, large.length);
    } finally {
      execFileSync("umount", ["-l", small]);
    }
  });
});

async function* chunks(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let start = 0; start < bytes.length; start += size) yield bytes.subarray(start, start + size);
}

function isReason(reason: string): (error: unknown) => boolean {
  return (error) => error instanceof CasslError && error.reason === reason;
}
