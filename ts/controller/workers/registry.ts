/** The attached workers, found by their id, their instance or the token of their frames. */
import { CasslError } from "../../core/errors.js";
import type { Register } from "../../gen/cassl/v1/worker_service.js";
import { createRecord, newToken, pidHere, type WorkerChannel, type WorkerRecord } from "./record.js";

export interface WorkerRegistry {
  /** The worker that attaches again, known by its instance, or a new one. The stream that it had is closed. */
  admit(register: Register, channel: WorkerChannel): WorkerRecord;
  /** False if the worker is not there. */
  remove(worker: WorkerRecord): boolean;
  /** In the order in which they came. */
  all(): Iterable<WorkerRecord>;
  count(): number;
  /** WORKER_NOT_FOUND if no worker with the id is attached. */
  get(workerId: string): WorkerRecord;
  /** The worker that a frame is from. */
  findByToken(token: Uint8Array): WorkerRecord | undefined;
  /** The worker whose process on this machine has the id. */
  findByPid(pid: number): WorkerRecord | undefined;
  clear(): void;
}

export function createWorkerRegistry(): WorkerRegistry {
  const byId = new Map<string, WorkerRecord>();
  const byInstance = new Map<string, WorkerRecord>();
  const byToken = new Map<string, WorkerRecord>();
  let attachedCount = 0;

  function welcomeBack(worker: WorkerRecord, register: Register, channel: WorkerChannel): WorkerRecord {
    worker.channel?.close();
    byToken.delete(worker.token);
    return Object.assign(worker, { register, channel, token: newToken(), silentBeats: 0, draining: false });
  }

  return {
    admit(register, channel) {
      const known = byInstance.get(register.instance);
      const worker =
        known === undefined
          ? createRecord(`worker-${++attachedCount}`, register, channel)
          : welcomeBack(known, register, channel);
      byId.set(worker.id, worker);
      byToken.set(worker.token, worker);
      if (register.instance !== "") byInstance.set(register.instance, worker);
      return worker;
    },

    remove(worker) {
      if (!byId.delete(worker.id)) return false;
      byToken.delete(worker.token);
      byInstance.delete(worker.register.instance);
      return true;
    },

    all: () => byId.values(),
    count: () => byId.size,

    get(workerId) {
      const worker = byId.get(workerId);
      if (worker === undefined) throw notAttached(workerId);
      return worker;
    },

    findByToken: (token) => byToken.get(Buffer.from(token).toString("hex")),
    findByPid: (pid) => [...byId.values()].find((worker) => pidHere(worker) === pid),

    clear() {
      for (const map of [byId, byInstance, byToken]) map.clear();
    },
  };
}

function notAttached(workerId: string): CasslError {
  const message = `No worker with the id ${JSON.stringify(workerId.slice(0, 100))} is attached.`;
  return new CasslError("WORKER_NOT_FOUND", message, "ListWorkers says which are.");
}
