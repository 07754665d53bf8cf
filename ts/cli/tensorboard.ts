/** Event files of TensorBoard: the metrics of a run's trainings, a folder for each. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { BinaryWriter } from "@bufbuild/protobuf/wire";
import { toStorageError } from "../controller/storage.js";
import type { RunEvent } from "../gen/cassl/v1/run.js";
import type { TrainProgress } from "../gen/cassl/v1/worker_service.js";
import { crc32c } from "./crc32c.js";
import type { Sink } from "./sink.js";

/** Always the same, so that who watches a run again gets no second copy of its curves. */
const FILE = "events.out.tfevents.0.cassl";

/** Writes `<folder>/<step>/events.out.tfevents.0.cassl`. STORAGE_FAILED if that cannot be done. */
export function tensorboardSink(folder: string): Sink {
  const started = new Set<string>();

  function write(step: string, records: Uint8Array): void {
    const directory = join(folder, ...step.split("/").filter((name) => name !== ".."));
    try {
      if (!started.has(step)) {
        mkdirSync(directory, { recursive: true });
        writeFileSync(join(directory, FILE), record(versionEvent()));
        started.add(step);
      }
      writeFileSync(join(directory, FILE), records, { flag: "a" });
    } catch (error) {
      throw toStorageError(error, `The event file ${join(directory, FILE)} cannot be written`);
    }
  }

  return {
    show(event) {
      if (event.event?.$case !== "step_progress") return;
      const { step, progress } = event.event.value;
      if (progress?.$case === "train") write(step, record(scalarsEvent(secondsOf(event), progress.value)));
    },
  };
}

function secondsOf({ at }: RunEvent): number {
  return (at?.getTime() ?? 0) / 1000;
}

/** A record of a TFRecord file: length, its checksum, data, their checksum. */
export function record(data: Uint8Array): Uint8Array {
  const bytes = Buffer.alloc(data.length + 16);
  bytes.writeBigUInt64LE(BigInt(data.length), 0);
  bytes.writeUInt32LE(masked(crc32c(bytes.subarray(0, 8))), 8);
  bytes.set(data, 12);
  bytes.writeUInt32LE(masked(crc32c(data)), data.length + 12);
  return bytes;
}

/** As TFRecord stores checksums, since data may hold checksums themselves. */
function masked(checksum: number): number {
  return (((checksum >>> 15) | (checksum << 17)) + 0xa282ead8) >>> 0;
}

/** tensorflow.Event: wall_time = 1, step = 2, file_version = 3, summary = 5. */
function versionEvent(): Uint8Array {
  return new BinaryWriter()
    .uint32((3 << 3) | 2)
    .string("brain.Event:2")
    .finish();
}

function scalarsEvent(seconds: number, progress: TrainProgress): Uint8Array {
  const { losses, learning_rate, images_per_second, iteration } = progress;
  const scalars = [
    ...Object.entries(losses).map(([name, value]) => [`loss/${name}`, value] as const),
    ["learning_rate", learning_rate] as const,
    ["images_per_second", images_per_second] as const,
  ];
  const event = new BinaryWriter()
    .uint32((1 << 3) | 1)
    .double(seconds)
    .uint32(2 << 3)
    .int64(iteration);
  event.uint32((5 << 3) | 2).fork();
  for (const [tag, value] of scalars) {
    // Summary.value = 1; of it tag = 1, simple_value = 2.
    event
      .uint32((1 << 3) | 2)
      .fork()
      .uint32((1 << 3) | 2)
      .string(tag)
      .uint32((2 << 3) | 5)
      .float(value)
      .join();
  }
  return event.join().finish();
}
