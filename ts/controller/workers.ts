/** The attached workers. Each idle one is given the task that has waited longest. */
import { CasslError } from "../core/errors.js";
import type { Worker } from "../gen/cassl/v1/controller_service.js";
import type { Task } from "../gen/cassl/v1/task.js";
import type { AttachRequest, AttachResponse, Register, TaskAttempt } from "../gen/cassl/v1/worker_service.js";
import { createTaskQueue, type TaskQueue, type TaskQueueOptions } from "./tasks.js";

/** The controller's end of a worker's stream. */
export interface WorkerChannel {
  send(message: NonNullable<AttachResponse["message"]>): void;
  close(): void;
}

/** A worker, as its stream sees it. */
export interface AttachedWorker {
  receive(message: AttachRequest["message"]): void;
  /** The stream has ended. Harmless when said twice. */
  leave(why: string): void;
}

export interface WorkerPool {
  readonly tasks: Omit<TaskQueue, "waiting" | "lease">;
  /** Welcomes the worker; leases follow. */
  attach(register: Register, channel: WorkerChannel): AttachedWorker;
  list(): Worker[];
  /** Gives the worker no more leases; it leaves after its task. WORKER_NOT_FOUND if it is not attached. */
  drain(workerId: string): Worker;
  /** No worker will come by itself any more: tasks fail with `error` whenever no worker is attached. */
  giveUp(error: CasslError): void;
  close(): void;
}

export interface WorkerPoolOptions extends Omit<TaskQueueOptions, "onWaiting"> {
  /** See Welcome. */
  readonly framesEndpoint: string;
  readonly heartbeatSeconds: number;
}

interface WorkerRecord {
  readonly id: string;
  readonly register: Register;
  readonly channel: WorkerChannel;
  /** What the worker is at, although it may have been cancelled. */
  running: TaskAttempt | undefined;
  draining: boolean;
  silentBeats: number;
}

const MAX_SILENT_BEATS = 3;

export function createWorkerPool({ framesEndpoint, heartbeatSeconds, ...options }: WorkerPoolOptions): WorkerPool {
  const workers = new Map<string, WorkerRecord>();
  const tasks = createTaskQueue({ ...options, onWaiting: assign });
  let attachedCount = 0;
  let desertion: CasslError | undefined;

  // Beats are counted, not timed: while the event loop is held up, timers come late but the messages wait.
  const heartbeats = setInterval(() => {
    for (const worker of workers.values()) {
      if (++worker.silentBeats > MAX_SILENT_BEATS) leave(worker, `it missed ${MAX_SILENT_BEATS} heartbeats`);
    }
  }, heartbeatSeconds * 1000);

  function assign(): void {
    for (const execution of tasks.waiting()) {
      const worker = [...workers.values()].find((candidate) => canTake(candidate, execution.task));
      if (worker === undefined) continue;
      const lease = tasks.lease(execution, {
        pid: worker.register.pid,
        cancel: () => worker.channel.send({ $case: "cancel", value: { task_attempt: worker.running } }),
      });
      if (lease === undefined) continue;
      worker.running = lease.task_attempt;
      worker.channel.send({ $case: "lease", value: lease });
    }
    if (desertion !== undefined && workers.size === 0) tasks.failAll(desertion);
  }

  function leave(worker: WorkerRecord, why: string): void {
    if (!workers.delete(worker.id)) return;
    worker.channel.close();
    if (worker.running !== undefined) tasks.lose(worker.running, `worker ${worker.register.name} was lost: ${why}`);
    assign();
  }

  function receive(worker: WorkerRecord, message: AttachRequest["message"]): void {
    worker.silentBeats = 0;
    if (message?.$case === "event") tasks.receiveEvent(message.value);
    if (message?.$case === "result") {
      if (isSameAttempt(worker.running, message.value.task_attempt)) worker.running = undefined;
      tasks.receiveResult(message.value);
      assign();
    }
  }

  return {
    tasks,
    attach(register, channel) {
      const worker = {
        id: `worker-${++attachedCount}`,
        register,
        channel,
        running: undefined,
        draining: false,
        silentBeats: 0,
      };
      workers.set(worker.id, worker);
      const welcome = { worker_id: worker.id, frames_endpoint: framesEndpoint, heartbeat_seconds: heartbeatSeconds };
      channel.send({ $case: "welcome", value: welcome });
      assign();
      return { receive: (message) => receive(worker, message), leave: (why) => leave(worker, why) };
    },
    list: () => [...workers.values()].map(describe),
    drain(workerId) {
      const worker = workers.get(workerId);
      if (worker === undefined) throw notAttached(workerId);
      worker.draining = true;
      worker.channel.send({ $case: "drain", value: {} });
      return describe(worker);
    },
    giveUp(error) {
      desertion = error;
      assign();
    },
    close() {
      clearInterval(heartbeats);
      for (const { channel } of workers.values()) channel.close();
      workers.clear();
    },
  };
}

function canTake({ running, draining, register }: WorkerRecord, task: Task): boolean {
  return running === undefined && !draining && register.families.includes(task.kind?.value.detector?.family ?? "");
}

function isSameAttempt(a: TaskAttempt | undefined, b: TaskAttempt | undefined): boolean {
  return a?.task_id === b?.task_id && a?.attempt === b?.attempt;
}

function describe({ id, register, running, draining }: WorkerRecord): Worker {
  const { name, host, pid, devices } = register;
  return { worker_id: id, name, host, pid, devices, running_task_id: running?.task_id ?? "", draining };
}

function notAttached(workerId: string): CasslError {
  const message = `No worker with the id ${JSON.stringify(workerId.slice(0, 100))} is attached.`;
  return new CasslError("WORKER_NOT_FOUND", message, "ListWorkers says which are.");
}
