/** A worker in TypeScript that does what a test tells it to. */
import { randomUUID } from "node:crypto";
import { credentials, type ServiceError } from "@grpc/grpc-js";
import { version } from "../../../ts/core/package.js";
import type { ArtifactRef } from "../../../ts/gen/cassl/v1/artifact_service.js";
import { ErrorReason } from "../../../ts/gen/cassl/v1/error_reason.js";
import type { TaskOutput } from "../../../ts/gen/cassl/v1/task.js";
import {
  type AttachRequest,
  type AttachResponse,
  type Lease,
  type Register,
  type TaskAttempt,
  WorkerServiceClient,
} from "../../../ts/gen/cassl/v1/worker_service.js";

type Response = NonNullable<AttachResponse["message"]>;

export interface FakeWorker {
  /** The next message of the kind; others wait. Rejects if the stream ends first. */
  next<C extends Response["$case"]>(kind: C): Promise<Extract<Response, { $case: C }>["value"]>;
  send(message: NonNullable<AttachRequest["message"]>): void;
  progress(lease: Lease, iteration: number): void;
  saveCheckpoint(lease: Lease, iteration: number, checkpoint: ArtifactRef): void;
  succeed(lease: Lease, output: TaskOutput["kind"]): void;
  handBack(lease: Lease): void;
  fail(lease: Lease, reason: keyof typeof ErrorReason, message: string): void;
  predicts(lease: Lease, imagesPerSecond: number): void;
  /** Breaks the stream, as a killed process does; the worker may attach again. */
  die(): void;
  /** Ends the stream in good order: the worker will not come back. */
  leave(): void;
  /** How the stream ended; undefined if in good order. */
  readonly ended: Promise<ServiceError | undefined>;
}

export function attachWorker(address: string, register: Partial<Register> = {}): FakeWorker {
  const client = new WorkerServiceClient(address, credentials.createInsecure());
  const call = client.attach();
  const received: Response[] = [];
  const readers = new Set<() => void>();
  const wake = (): void => readers.forEach((reader) => reader());
  let over = false;
  const ended = new Promise<ServiceError | undefined>((resolve) => {
    call.on("error", (error) => resolve(error as ServiceError));
    call.on("end", () => setImmediate(resolve, undefined));
  }).finally(() => {
    over = true;
    wake();
    client.close();
  });
  call.on("data", ({ message }: AttachResponse) => {
    if (message !== undefined) received.push(message);
    wake();
  });

  const send: FakeWorker["send"] = (message) => void call.write({ message });
  const event = (task_attempt: TaskAttempt | undefined, value: { $case: string; value: unknown }): void =>
    send({ $case: "event", value: { task_attempt, event: value as never } });
  const able = { devices: ["cpu"], families: ["light"], backends: ["torch"], memory_bytes: 8e9, gpus: [] };
  const defaults = { name: "fake", version, pid: 1, host: "here", ...able, versions: { python: "3.11.2" } };
  send({ $case: "register", value: { ...defaults, instance: randomUUID(), held: [], ...register } });

  return {
    ended,
    send,
    next: (kind) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          const index = received.findIndex(({ $case }) => $case === kind);
          if (index < 0 && !over) return;
          readers.delete(look);
          if (index < 0) reject(new Error(`the stream ended without ${kind}`));
          else resolve(received.splice(index, 1)[0]?.value as never);
        };
        readers.add(look);
        look();
      }),
    progress: ({ task_attempt }, iteration) =>
      event(task_attempt, {
        $case: "train_progress",
        value: {
          iteration,
          total_iterations: 10,
          losses: { total: 1 },
          learning_rate: 0.1,
          images_per_second: 5,
          images_per_batch: 4,
          processes: 1,
        },
      }),
    saveCheckpoint: ({ task_attempt }, iteration, checkpoint) =>
      event(task_attempt, { $case: "checkpoint_saved", value: { iteration, checkpoint } }),
    succeed: ({ task_attempt }, kind) =>
      send({ $case: "result", value: { task_attempt, result: { $case: "output", value: { kind } } } }),
    handBack: ({ task_attempt }) =>
      send({ $case: "result", value: { task_attempt, result: { $case: "handed_back", value: {} } } }),
    fail({ task_attempt }, reason, message) {
      const error = { reason: ErrorReason[reason], message, remedy: "", trace: "" };
      send({ $case: "result", value: { task_attempt, result: { $case: "error", value: error } } });
    },
    predicts: ({ task_attempt }, images_per_second) =>
      event(task_attempt, {
        $case: "predict_progress",
        value: { images_done: 0, total_images: 0, images_per_second },
      }),
    die: () => call.cancel(),
    leave() {
      send({ $case: "leaving", value: {} });
      call.end();
    },
  };
}
