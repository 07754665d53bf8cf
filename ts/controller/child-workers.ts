/** The executor `local`: workers as child processes, started again when they die, as long as that leads anywhere. */
import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { CasslError } from "../core/errors.js";
import { installWorker } from "../core/package.js";
import { spawnWorker, type WorkerEntrance, type WorkerExit, type WorkerProcess } from "./worker-process.js";
import type { WorkerPool } from "./workers.js";

export interface ChildWorkers {
  /** WORKER_FAILED if the Python cannot be executed. */
  start(entrance: WorkerEntrance, pool: WorkerPool): Promise<void>;
  /** How the worker process ended and what it wrote last. Empty if it is none of ours, or lives. */
  lastWords(pid: number): Promise<string>;
  stop(): Promise<void>;
}

export interface ChildWorkersOptions {
  readonly count: number;
  readonly python: string;
  /** Folder for the files of the workers' tasks, of which nothing stays behind. */
  readonly scratch: string;
  /** Given every line that a worker writes. */
  onOutput(line: string): void;
}

const MAX_FRUITLESS_DEATHS = 3;
const RESTART_MS = 200;
const LAST_WORDS_MS = 1000;
const [EXIT_DRAINED, EXIT_INCOMPLETE] = [0, 3];

export function createChildWorkers({ count, python, scratch, onOutput }: ChildWorkersOptions): ChildWorkers {
  const stopping = new AbortController();
  const processes = new Map<number, WorkerProcess>();
  const removals = new Set<Promise<void>>();
  let supervisors: Promise<void>[] = [];

  async function startOne(entrance: WorkerEntrance): Promise<WorkerProcess> {
    const folder = await mkdtemp(join(scratch, "worker-"));
    const process = await spawnWorker(python, entrance, folder, onOutput);
    processes.set(process.pid, process);
    // One that was killed leaves its files. What cannot be removed now is swept at the next start.
    const removed = process.exited.then(() => rm(folder, { recursive: true, force: true })).catch(() => {});
    removals.add(removed);
    void removed.then(() => removals.delete(removed));
    if (stopping.signal.aborted) await process.stop();
    return process;
  }

  /** Returns when no more worker is to be started in this place, with the reason; without one if it was told to leave. */
  async function supervise(
    first: WorkerProcess,
    entrance: WorkerEntrance,
    { tasks, bury }: WorkerPool,
  ): Promise<CasslError | undefined> {
    let process = first;
    for (let deaths = 1; ; deaths++) {
      const progress = tasks.progressCount();
      const exit = await process.exited;
      bury(process.pid, "its process has ended");
      if (exit.code === EXIT_DRAINED) return undefined;
      if (tasks.progressCount() > progress) deaths = 1;
      const failure = failureOf(exit, deaths);
      if (failure !== undefined) return failure;
      stopping.signal.throwIfAborted();
      tasks.log("warning", `${exit.lastWords}\nIt is started again.`);
      await delay(RESTART_MS * 2 ** deaths, undefined, { signal: stopping.signal });
      processes.delete(process.pid);
      process = await startOne(entrance);
    }
  }

  return {
    async start(entrance, pool) {
      let places = count;
      const keepUp = async (first: WorkerProcess): Promise<void> => {
        const failure = await supervise(first, entrance, pool).catch((error: unknown) => CasslError.from(error));
        if (failure === undefined) return;
        places--;
        if (places === 0 && !stopping.signal.aborted) pool.giveUp(failure);
      };
      const started = await Promise.all(Array.from({ length: count }, () => startOne(entrance)));
      supervisors = started.map(keepUp);
    },
    async lastWords(pid) {
      const exited = processes.get(pid)?.exited.then(({ lastWords }) => lastWords);
      return Promise.race([exited ?? "", delay(LAST_WORDS_MS, "", { ref: false })]);
    },
    async stop() {
      stopping.abort();
      await Promise.all([...processes.values()].map((process) => process.stop()));
      await Promise.all([...supervisors, ...removals]);
    },
  };
}

/** Why the worker need not be started again. Undefined if it may. */
function failureOf(exit: WorkerExit, deaths: number): CasslError | undefined {
  const missing = exit.lines.map((line) => /^cassl-worker: WORKER_INCOMPLETE: (.*)/.exec(line)?.[1]).find(Boolean);
  if (exit.code === EXIT_INCOMPLETE && missing !== undefined) return incomplete(missing);
  if (deaths < MAX_FRUITLESS_DEATHS) return undefined;
  return new CasslError(
    "WORKER_FAILED",
    `The worker died ${deaths} times without getting anywhere. ${exit.lastWords}`,
    `Correct what its last lines say. If packages are missing: ${installWorker}`,
  );
}

function incomplete(message: string): CasslError {
  return new CasslError(
    "WORKER_INCOMPLETE",
    `The worker's Python lacks a package: ${message}`,
    `${installWorker} Or name a Python that has the worker's packages in CASSL_PYTHON.`,
  );
}
