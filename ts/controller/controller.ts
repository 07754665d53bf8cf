/** Puts the controller together: state, artifacts, services, frames, workers and runs of one workspace. */
import { CasslError } from "../core/errors.js";
import { artifactService } from "./artifact-service.js";
import { createChildWorkers } from "./child-workers.js";
import { controllerService } from "./controller-service.js";
import { createFrameTally } from "./frame-tally.js";
import { serveFrames } from "./frames.js";
import { runExecution } from "./run-execution.js";
import { createRunLog } from "./run-log.js";
import { createRuns, type Recovery } from "./runs.js";
import { createServer } from "./server.js";
import { createShardLedger } from "./shards.js";
import { createTaskProgress } from "./task-progress.js";
import { choosePython } from "./worker-process.js";
import { workerService } from "./worker-service.js";
import { createWorkerPool } from "./workers.js";
import { openWorkspace } from "./workspace.js";

export interface ControllerOptions {
  /** Folder for state, artifacts and results; made if it is missing. */
  readonly workspace: string;
  /** `127.0.0.1`, `::1` or `localhost`. */
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  /** How many workers to run as child processes. Others may attach. */
  readonly childWorkers: number;
  /** See `choosePython`. */
  readonly python?: string | undefined;
  readonly recover: Recovery;
  /** Given every line that a child worker writes. */
  readonly onWorkerOutput?: (line: string) => void;
  /** @default 5 */
  readonly heartbeatSeconds?: number;
}

export interface Controller {
  /** host:port, for clients and workers. */
  readonly address: string;
  /** Leaves runs that are under way for the next controller. */
  stop(): Promise<void>;
}

/** Closes what is open, in reverse. */
type Closer = () => void | Promise<void>;

/**
 * WORKSPACE_LOCKED, ADDRESS_UNAVAILABLE, STORAGE_FAILED, WORKER_FAILED (no Python), or CONFIG_INVALID (not a loopback
 * address); nothing is left open then.
 */
export async function startController(options: ControllerOptions): Promise<Controller> {
  checkLoopback(options.host);
  const closers: Closer[] = [];
  const stop = async (): Promise<void> => {
    for (let close = closers.pop(); close !== undefined; close = closers.pop()) await close();
  };
  try {
    return { address: await openAll(options, closers), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function openAll(options: ControllerOptions, closers: Closer[]): Promise<string> {
  const { workspace, host, port, heartbeatSeconds = 5 } = options;
  const opened = await openWorkspace(workspace);
  closers.push(opened.close);
  const { state, artifacts, folders, inspections } = opened;
  const frames = await serveFrames(host === "localhost" ? "127.0.0.1" : host);
  closers.push(frames.close);

  const children = createChildWorkers({
    count: options.childWorkers,
    python: choosePython(options.python),
    onOutput: options.onWorkerOutput ?? (() => {}),
  });
  const { lastWords } = children;
  const progress = createTaskProgress(state, artifacts);
  const framesEndpoint = frames.endpoint;
  const pool = createWorkerPool({ state, progress, framesEndpoint, heartbeatSeconds, lastWords, succeeds: port !== 0 });
  closers.push(pool.close);
  const shards = createShardLedger(state, artifacts, pool);
  const tally = createFrameTally(pool);
  frames.answer(shards, tally);
  const execute = runExecution({ state, artifacts, folders, inspections, shards, tally, submit: pool.tasks.submit });
  const runs = createRuns(createRunLog(state), execute);

  const server = createServer({
    artifacts: artifactService(artifacts),
    controller: controllerService(runs, pool, tally.total),
    workers: workerService(pool),
  });
  closers.push(server.stop, children.stop, runs.stop);
  const address = await server.listen(host, port);
  await children.start(address, pool);
  runs.recover(options.recover);
  return address;
}

function checkLoopback(host: string): void {
  if (["127.0.0.1", "::1", "localhost"].includes(host)) return;
  throw new CasslError(
    "CONFIG_INVALID",
    `The address ${host} can be reached from other machines, which needs TLS and tokens; this version has neither.`,
    "Listen on 127.0.0.1.",
  );
}
