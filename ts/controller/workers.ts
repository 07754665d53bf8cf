/** The attached workers. Each idle one is given what comes first for it; each keeps its lease as long as it is heard of. */
import { performance } from "node:perf_hooks";
import { CasslError } from "../core/errors.js";
import type { Worker } from "../gen/cassl/v1/controller_service.js";
import type { WaitingTask } from "../gen/cassl/v1/run.js";
import type { AttachRequest, HeldLease, Lease, Register, TaskResult } from "../gen/cassl/v1/worker_service.js";
import type { FrameRoute } from "./frame-route.js";
import type { Candidate } from "./tasks/waiting.js";
import { createTaskQueue, type Holder, type TaskQueue, type TaskQueueOptions } from "./tasks.js";
import {
  cancelRunning,
  describeWorker,
  isIdle,
  isSameAttempt,
  pidHere,
  type WorkerChannel,
  type WorkerRecord,
} from "./workers/record.js";
import { createWorkerRegistry, type WorkerRegistry } from "./workers/registry.js";

export type { WorkerChannel, WorkerRecord } from "./workers/record.js";

/** A worker, as one of its streams sees it. */
export interface AttachedWorker {
  receive(message: AttachRequest["message"]): void;
  /** The stream is over. Unless the worker has said that it is leaving, it may come back. Harmless when said twice. */
  end(): void;
}

export interface WorkerPool extends Pick<WorkerRegistry, "findByToken"> {
  readonly tasks: Omit<TaskQueue, "lease" | "claim" | "adopt" | "hasOpenWork" | "waiting" | "tellWaiting">;
  /**
   * Welcomes the worker; leases follow. One that is known already, by its instance, goes on with what it holds.
   * LEASE_ENDED if it is reserved for an attempt that does not count.
   */
  attach(register: Register, channel: WorkerChannel): AttachedWorker;
  list(): Worker[];
  /** The tasks that no worker has, in the order in which workers would be given them. */
  waiting(): WaitingTask[];
  /** Gives the worker no more leases; it hands back its task and leaves. WORKER_NOT_FOUND if it is not attached. */
  drain(workerId: string): Worker;
  /** The worker's process, a child of ours, has ended. */
  bury(pid: number, why: string): void;
  /** No worker will come by itself any more: tasks of attached workers fail with `error` whenever none is. */
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

const MAX_SILENT_BEATS = 3;
/** A worker's longest pause between attempts to attach is 10 s. */
const RETURN_MS = 15_000;
/** How long a worker may go on with a task that no run of this controller has asked for. */
const MAX_UNCLAIMED_BEATS = 12;
/** Shared by all workers, and what one of them may have of it. */
const CREDIT_BYTES = { total: 256 * 2 ** 20, worker: 16 * 2 ** 20 };

export function createWorkerPool(options: WorkerPoolOptions): WorkerPool {
  const { frames, heartbeatSeconds, succeeds = false, ...rest } = options;
  const workers = createWorkerRegistry();
  const returnUntil = performance.now() + (succeeds ? RETURN_MS : 0);
  const tasks = createTaskQueue({
    ...rest,
    onWaiting: assign,
    mayReturn: () => performance.now() < returnUntil,
    creditBytes: () => Math.min(CREDIT_BYTES.worker, Math.floor(CREDIT_BYTES.total / Math.max(1, workers.count()))),
  });
  let desertion: CasslError | undefined;

  // Beats are counted, not timed: while the event loop is held up, timers come late but the messages wait.
  const heartbeats = setInterval(() => {
    for (const worker of workers.all()) {
      if (++worker.silentBeats > MAX_SILENT_BEATS) remove(worker, `it missed ${MAX_SILENT_BEATS} heartbeats`);
      else if (worker.unclaimedBeats > 0 && ++worker.unclaimedBeats > MAX_UNCLAIMED_BEATS) disclaim(worker);
    }
    assign();
    // At a beat and not at once: workers may be about to attach.
    tasks.tellWaiting(candidates());
  }, heartbeatSeconds * 1000);

  function assign(): void {
    for (const worker of workers.all()) if (worker.unclaimedBeats > 0) claim(worker);
    for (const worker of workers.all()) {
      // Most of the time there is nothing to do, and there may be a thousand idle workers.
      if (!tasks.hasOpenWork()) break;
      if (!isIdle(worker)) continue;
      const lease = tasks.lease(holderOf(worker), workers.count());
      if (lease !== undefined) give(worker, lease);
    }
    if (desertion !== undefined && candidates().length === 0) tasks.failLocal(desertion);
  }

  function holderOf(worker: WorkerRecord): Holder {
    const cancel = (): void => cancelRunning(worker);
    return { workerId: worker.id, pid: pidHere(worker), capabilities: worker.register, cancel };
  }

  /** The workers that take tasks, now or when they have done theirs. */
  function candidates(): Candidate[] {
    return [...workers.all()]
      .filter(({ draining, register }) => !draining && register.reserved_for === undefined)
      .map(({ register }) => ({ name: register.name, capabilities: register }));
  }

  function refuseNeedless({ name, held, reserved_for }: Register): void {
    if (reserved_for === undefined || held.length > 0 || tasks.standing(reserved_for) === "waiting") return;
    throw new CasslError(
      "LEASE_ENDED",
      `Worker ${name} was started for attempt ${reserved_for.attempt} at task ${reserved_for.task_id}, which counts no longer.`,
      "Nothing is lost: another worker has the task, or it is done. End the worker.",
    );
  }

  /** Gives the worker the attempt that it was started for, unless it has begun it. */
  function beginReserved(worker: WorkerRecord): void {
    const { reserved_for } = worker.register;
    if (reserved_for === undefined || worker.running !== undefined) return;
    const lease = tasks.claim(reserved_for, holderOf(worker));
    if (lease === undefined) remove(worker, "its task needs it no longer");
    else give(worker, lease);
  }

  function give(worker: WorkerRecord, lease: Lease): void {
    worker.running = { task_attempt: lease.task_attempt, shards: lease.shards };
    worker.channel?.send({ $case: "lease", value: lease });
  }

  /** What the worker came with is its lease, if that is still to be had. */
  function claim(worker: WorkerRecord): void {
    if (worker.running === undefined) return;
    const outcome = tasks.adopt(worker.running, holderOf(worker));
    if (outcome === "unknown") worker.unclaimedBeats ||= 1;
    else worker.unclaimedBeats = 0;
    if (outcome === "ended") cancelRunning(worker);
  }

  function disclaim(worker: WorkerRecord): void {
    worker.unclaimedBeats = 0;
    cancelRunning(worker);
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
    if (!workers.remove(worker)) return;
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

  return {
    tasks,
    attach(register, channel) {
      refuseNeedless(register);
      const worker = workers.admit(register, channel);
      welcome(worker);
      reconcile(worker, register.held[0]);
      beginReserved(worker);
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
    list: () => [...workers.all()].map((worker) => describeWorker(worker, tasks)),
    waiting: () => tasks.waiting(candidates()),
    drain(workerId) {
      const worker = workers.get(workerId);
      worker.draining = true;
      worker.channel?.send({ $case: "drain", value: {} });
      return describeWorker(worker, tasks);
    },
    findByToken: workers.findByToken,
    bury(pid, why) {
      const dead = workers.findByPid(pid);
      if (dead !== undefined) remove(dead, why);
    },
    giveUp(error) {
      desertion = error;
      assign();
    },
    close() {
      clearInterval(heartbeats);
      for (const { channel } of workers.all()) channel?.close();
      workers.clear();
    },
  };
}
