/** What the controller knows of one attached worker. */
import { randomBytes } from "node:crypto";
import { hostname } from "node:os";
import type { Worker } from "../../gen/cassl/v1/controller_service.js";
import type { FrameCounts } from "../../gen/cassl/v1/prediction_frame.js";
import type { AttachResponse, FrameKeys, HeldLease, Register, TaskAttempt } from "../../gen/cassl/v1/worker_service.js";
import { noFrames } from "../frame-counts.js";
import type { TaskQueue } from "../tasks.js";

/** The controller's end of a worker's stream. */
export interface WorkerChannel {
  send(message: NonNullable<AttachResponse["message"]>): void;
  close(): void;
}

export interface WorkerRecord {
  readonly id: string;
  register: Register;
  /** Absent while its stream is broken. */
  channel: WorkerChannel | undefined;
  /** See Welcome. In hexadecimal. */
  token: string;
  /** See Welcome. */
  keys: FrameKeys | undefined;
  /** What the worker is at, although it may have been cancelled. */
  running: HeldLease | undefined;
  /** Beats since `running` was claimed for a task that nobody has submitted yet. */
  unclaimedBeats: number;
  silentBeats: number;
  draining: boolean;
  readonly frames: FrameCounts;
}

const TOKEN_BYTES = 16;

export function createRecord(id: string, register: Register, channel: WorkerChannel): WorkerRecord {
  return {
    id,
    register,
    channel,
    token: newToken(),
    keys: undefined,
    running: undefined,
    unclaimedBeats: 0,
    silentBeats: 0,
    draining: false,
    frames: noFrames(),
  };
}

export function newToken(): string {
  return randomBytes(TOKEN_BYTES).toString("hex");
}

/** Whether it may be given any task. */
export function isIdle({ register, running, channel, draining }: WorkerRecord): boolean {
  return register.reserved_for === undefined && running === undefined && channel !== undefined && !draining;
}

/** Undefined if it is on another machine. */
export function pidHere({ register: { pid, host } }: WorkerRecord): number | undefined {
  return host === hostname() ? pid : undefined;
}

export function isSameAttempt(a: TaskAttempt | undefined, b: TaskAttempt | undefined): boolean {
  return a?.task_id === b?.task_id && a?.attempt === b?.attempt;
}

export function cancelRunning({ running, channel }: WorkerRecord): void {
  if (running !== undefined) channel?.send({ $case: "cancel", value: { task_attempt: running.task_attempt } });
}

export function describeWorker(worker: WorkerRecord, tasks: Pick<TaskQueue, "running">): Worker {
  const { id, register, running, draining, frames } = worker;
  const { name, host, pid, devices, families, backends, memory_bytes, gpus, versions } = register;
  const attempt = running?.task_attempt;
  return {
    worker_id: id,
    name,
    host,
    pid,
    devices,
    running_task_id: attempt?.task_id ?? "",
    draining,
    frames,
    running_task: tasks.running(attempt),
    families,
    backends,
    memory_bytes,
    gpus,
    versions,
  };
}
