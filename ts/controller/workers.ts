/** The attached workers. Each idle one is given what has waited longest; each keeps its lease as long as it is heard of. */
import { randomBytes } from "node:crypto";
import { hostname } from "node:os";
import { performance } from "node:perf_hooks";
import { CasslError } from "../core/errors.js";
import type { Worker } from "../gen/cassl/v1/controller_service.js";
import type { FrameCounts } from "../gen/cassl/v1/prediction_frame.js";
import type {
  AttachRequest,
  AttachResponse,
  FrameKeys,
  HeldLease,
  Register,
  TaskAttempt,
  TaskResult,
} from "../gen/cassl/v1/worker_service.js";
import { noFrames } from "./frame-counts.js";
import type { FrameRoute } from "./frame-route.js";
import { createTaskQueue, type Holder, type TaskQueue, type TaskQueueOptions } from "./tasks.js";

/** The controller's end of a worker's stream. */
export interface WorkerChannel {
  send(message: NonNullable<AttachResponse["message"]>): void;
  close(): void;
}

/** A worker, as one of its streams sees it. */
export interface AttachedWorker {
  receive(message: AttachRequest["message"]): void;
  /** The stream is over. Unless the worker has said that it is leaving, it may come back. Harmless when said twice. */
  end(): void;
}

export interface WorkerPool {
  readonly tasks: Omit<TaskQueue, "lease" | "adopt" | "hasOpenWork">;
  /** Welcomes the worker; leases follow. One that is known already, by its instance, goes on with what it holds. */
  attach(register: Register, channel: WorkerChannel): AttachedWorker;
  list(): Worker[];
  /** Gives the worker no more leases; it hands back its task and leaves. WORKER_NOT_FOUND if it is not attached. */
  drain(workerId: string): Worker;
  /** The worker that a frame is from. */
  findByToken(token: Uint8Array): WorkerRecord | undefined;
  /** The worker's process, a child of ours, has ended. */
  bury(pid: number, why: string): void;
  /** No worker will come by itself any more: tasks fail with `error` whenever no worker is attached. */
  giveUp(error: CasslError): void;
  close(): void;
}

export interface WorkerPoolOptions extends Omit<TaskQueueOptions, "onWaiting" | "mayReturn" | "creditBytes"> {
  /** Where the workers' frames go. */
  readonly frames: FrameRoute;
  readonly heartbeatSeconds: number;
  /** Whether workers of an earlier controller can find this one. */
  readonly succeeds?: boolean;
}

export interface WorkerRecord {
  readonly id: string;
  register: Register;
  /** Absent while its stream is broken. */
  channel: WorkerChannel | undefined;
  /** See Welcome. */
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

const MAX_SILENT_BEATS = 3;
/** A worker's longest pause between attempts to attach is 10 s. */
const RETURN_MS = 15_000;
/** How long a worker may go on with a task that no run of this controller has asked for. */
const MAX_UNCLAIMED_BEATS = 12;
/** Shared by all workers, and what one of them may have of it. */
const CREDIT_BYTES = { total: 256 * 2 ** 20, worker: 16 * 2 ** 20 };
const TOKEN_BYTES = 16;

export function createWorkerPool(options: WorkerPoolOptions): WorkerPool {
  const { frames, heartbeatSeconds, succeeds = false, ...rest } = options;
  const workers = new Map<string, WorkerRecord>();
  const returnUntil = performance.now() + (succeeds ? RETURN_MS : 0);
  const tasks = createTaskQueue({
    ...rest,
    onWaiting: assign,
    mayReturn: () => performance.now() < returnUntil,
    creditBytes: () => Math.min(CREDIT_BYTES.worker, Math.floor(CREDIT_BYTES.total / Math.max(1, workers.size))),
  });
  let attachedCount = 0;
  let desertion: CasslError | undefined;

  // Beats are counted, not timed: while the event loop is held up, timers come late but the messages wait.
  const heartbeats = setInterval(() => {
    for (const worker of workers.values()) {
      if (++worker.silentBeats > MAX_SILENT_BEATS) remove(worker, `it missed ${MAX_SILENT_BEATS} heartbeats`);
      else if (worker.unclaimedBeats > 0 && ++worker.unclaimedBeats > MAX_UNCLAIMED_BEATS) disclaim(worker);
    }
    assign();
  }, heartbeatSeconds * 1000);

  function assign(): void {
    for (const worker of workers.values()) if (worker.unclaimedBeats > 0) claim(worker);
    for (const worker of workers.values()) {
      // Most of the time there is nothing to do, and there may be a thousand idle workers.
      if (!tasks.hasOpenWork()) break;
      if (!isIdle(worker)) continue;
      const lease = tasks.lease(holderOf(worker), workers.size);
      if (lease === undefined) continue;
      worker.running = { task_attempt: lease.task_attempt, shards: lease.shards };
      worker.channel?.send({ $case: "lease", value: lease });
    }
    if (desertion !== undefined && workers.size === 0) tasks.failAll(desertion);
  }

  function holderOf(worker: WorkerRecord): Holder {
    const { pid, host, families } = worker.register;
    return {
      workerId: worker.id,
      pid: host === hostname() ? pid : undefined,
      canDo: (task) => families.includes(task.kind?.value.detector?.family ?? ""),
      cancel: () => cancel(worker),
    };
  }

  function cancel({ running, channel }: WorkerRecord): void {
    if (running !== undefined) channel?.send({ $case: "cancel", value: { task_attempt: running.task_attempt } });
  }

  /** What the worker came with is its lease, if that is still to be had. */
  function claim(worker: WorkerRecord): void {
    if (worker.running === undefined) return;
    const outcome = tasks.adopt(worker.running, holderOf(worker));
    if (outcome === "unknown") worker.unclaimedBeats ||= 1;
    else worker.unclaimedBeats = 0;
    if (outcome === "ended") cancel(worker);
  }

  function disclaim(worker: WorkerRecord): void {
    worker.unclaimedBeats = 0;
    cancel(worker);
  }

  /** Makes what the controller knows of the worker what the worker says, when it attaches. */
  function reconcile(worker: WorkerRecord, held: HeldLease | undefined): void {
    const known = worker.running?.task_attempt;
    if (known !== undefined && !isSameAttempt(known, held?.task_attempt)) {
      worker.running = undefined;
      tasks.lose(known, `worker ${worker.register.name} came back without it`);
    }
    worker.running = held;
    worker.unclaimedBeats = 0;
    if (held !== undefined && tasks.find(held.task_attempt) === undefined) claim(worker);
  }

  function remove(worker: WorkerRecord, why: string): void {
    if (!workers.delete(worker.id)) return;
    worker.channel?.close();
    worker.channel = undefined;
    expel(worker);
    const attempt = worker.running?.task_attempt;
    if (attempt !== undefined) tasks.lose(attempt, `worker ${worker.register.name} was lost: ${why}`);
    assign();
  }

  function receive(worker: WorkerRecord, message: AttachRequest["message"]): void {
    worker.silentBeats = 0;
    if (message?.$case === "event") tasks.receiveEvent(message.value);
    if (message?.$case === "leaving") worker.draining = true;
    if (message?.$case === "result") receiveResult(worker, message.value);
  }

  function receiveResult(worker: WorkerRecord, result: TaskResult): void {
    const isRunning = isSameAttempt(worker.running?.task_attempt, result.task_attempt);
    if (isRunning && worker.unclaimedBeats > 0) return; // It will send it again.
    if (isRunning) worker.running = undefined;
    worker.channel?.send({ $case: "result_received", value: { task_attempt: result.task_attempt } });
    tasks.receiveResult(result);
    assign();
  }

  function welcome(worker: WorkerRecord): void {
    expel(worker);
    worker.keys = frames.admit();
    const value = {
      worker_id: worker.id,
      heartbeat_seconds: heartbeatSeconds,
      frames_endpoint: frames.endpoint,
      frames_token: Buffer.from(worker.token, "hex"),
      frames_keys: worker.keys,
    };
    worker.channel?.send({ $case: "welcome", value });
  }

  function expel({ keys }: WorkerRecord): void {
    if (keys !== undefined) frames.expel(keys);
  }

  /** The worker that attaches again, or a new one. */
  function recordOf(register: Register, channel: WorkerChannel): WorkerRecord {
    const known = [...workers.values()].find(
      ({ register: { instance } }) => instance !== "" && instance === register.instance,
    );
    known?.channel?.close();
    const token = randomBytes(TOKEN_BYTES).toString("hex");
    if (known !== undefined) return Object.assign(known, { register, channel, token, silentBeats: 0, draining: false });
    const fresh = {
      running: undefined,
      unclaimedBeats: 0,
      silentBeats: 0,
      draining: false,
      frames: noFrames(),
      keys: undefined,
    };
    return { id: `worker-${++attachedCount}`, register, channel, token, ...fresh };
  }

  return {
    tasks,
    attach(register, channel) {
      const worker = recordOf(register, channel);
      workers.set(worker.id, worker);
      welcome(worker);
      reconcile(worker, register.held[0]);
      assign();
      const isCurrent = (): boolean => worker.channel === channel;
      return {
        receive: (message) => {
          if (isCurrent()) receive(worker, message);
        },
        end: () => {
          if (!isCurrent()) return;
          worker.channel = undefined;
          if (worker.draining) remove(worker, "it left");
        },
      };
    },
    list: () => [...workers.values()].map(describe),
    drain(workerId) {
      const worker = workers.get(workerId);
      if (worker === undefined) throw notAttached(workerId);
      worker.draining = true;
      worker.channel?.send({ $case: "drain", value: {} });
      return describe(worker);
    },
    findByToken(token) {
      const text = Buffer.from(token).toString("hex");
      return [...workers.values()].find((worker) => worker.token === text);
    },
    bury(pid, why) {
      const dead = [...workers.values()].find(({ register }) => register.pid === pid && register.host === hostname());
      if (dead !== undefined) remove(dead, why);
    },
    giveUp(error) {
      desertion = error;
      assign();
    },
    close() {
      clearInterval(heartbeats);
      for (const { channel } of workers.values()) channel?.close();
      workers.clear();
    },
  };
}

function isIdle({ running, channel, draining }: WorkerRecord): boolean {
  return running === undefined && channel !== undefined && !draining;
}

function isSameAttempt(a: TaskAttempt | undefined, b: TaskAttempt | undefined): boolean {
  return a?.task_id === b?.task_id && a?.attempt === b?.attempt;
}

function describe({ id, register, running, draining, frames }: WorkerRecord): Worker {
  const { name, host, pid, devices } = register;
  const running_task_id = running?.task_attempt?.task_id ?? "";
  return { worker_id: id, name, host, pid, devices, running_task_id, draining, frames };
}

function notAttached(workerId: string): CasslError {
  const message = `No worker with the id ${JSON.stringify(workerId.slice(0, 100))} is attached.`;
  return new CasslError("WORKER_NOT_FOUND", message, "ListWorkers says which are.");
}
