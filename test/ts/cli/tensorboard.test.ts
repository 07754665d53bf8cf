import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { BinaryReader } from "@bufbuild/protobuf/wire";
import { crc32c } from "../../../ts/cli/crc32c.js";
import { record, tensorboardSink } from "../../../ts/cli/tensorboard.js";
import type { RunEvent } from "../../../ts/gen/cassl/v1/run.js";

function training(step: string, iteration: number, total: number): RunEvent {
  const batch = { images_per_batch: 4, processes: 1 };
  const value = {
    iteration,
    total_iterations: 20,
    losses: { total },
    learning_rate: 0.25,
    images_per_second: 8,
    ...batch,
  };
  const progress = { $case: "train" as const, value };
  const event = { $case: "step_progress" as const, value: { step, key: "k", progress } };
  return { sequence: iteration, at: new Date("2026-03-01T14:05:09.500Z"), event };
}

/** The data of the records, whose checksums are compared with those made anew. */
function dataOf(file: Buffer): Buffer[] {
  const found: Buffer[] = [];
  for (let at = 0; at < file.length; ) {
    const length = Number(file.readBigUInt64LE(at));
    const data = file.subarray(at + 12, at + 12 + length);
    assert.deepEqual(file.subarray(at, at + length + 16), Buffer.from(record(data)));
    found.push(data);
    at += length + 16;
  }
  return found;
}

describe("event files of TensorBoard", () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "cassl-tensorboard-"));
  });
  after(() => rm(folder, { recursive: true }));

  const fileOf = (step: string): string => join(folder, step, "events.out.tfevents.0.cassl");

  it("have the checksums of the format", () => {
    assert.equal(crc32c(Buffer.from("123456789")), 0xe3069283);
    // The first record that TensorBoard itself writes has this length and this checksum of it.
    const header = Buffer.from(record(new Uint8Array(24)))
      .subarray(0, 12)
      .toString("hex");
    assert.equal(header, "1800000000000000a37f4b22");
  });

  it("hold a version, and a scalar for each loss, the learning rate and the speed", async () => {
    const view = tensorboardSink(folder);
    view.show(training("arm/finetune", 10, 1.5));
    view.show(training("arm/finetune", 20, 0.5));
    const [version, first, second, ...more] = dataOf(await readFile(fileOf("arm/finetune")));
    assert.equal(version?.subarray(2).toString(), "brain.Event:2");
    assert.equal(more.length, 0);
    const reader = new BinaryReader(first as Buffer);
    assert.deepEqual(reader.tag(), [1, 1]);
    assert.equal(reader.double(), Date.parse("2026-03-01T14:05:09.500Z") / 1000);
    assert.deepEqual(reader.tag(), [2, 0]);
    assert.equal(Number(reader.int64()), 10);
    const text = (second as Buffer).toString("latin1");
    for (const tag of ["loss/total", "learning_rate", "images_per_second"]) assert.ok(text.includes(tag));
  });

  it("start anew when a run is watched again", async () => {
    for (let time = 0; time < 2; time++) tensorboardSink(folder).show(training("warmup", 10, 1));
    assert.equal(dataOf(await readFile(fileOf("warmup"))).length, 2);
  });

  it("stay in their folder whatever a step is called", async () => {
    tensorboardSink(folder).show(training("../../out", 10, 1));
    assert.equal(dataOf(await readFile(fileOf("out"))).length, 2);
  });

  it("that cannot be written are a failure of the storage", async () => {
    await writeFile(join(folder, "file"), "");
    const view = tensorboardSink(join(folder, "file"));
    assert.throws(() => view.show(training("warmup", 10, 1)), { reason: "STORAGE_FAILED" });
  });
});
