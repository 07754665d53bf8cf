/** Puts the controller together: state, artifacts, services, frames, workers and runs of one workspace. */
import { lookup } from "node:dns/promises";
import { type AccessOptions, openAccess, PLAIN } from "./access/access.js";
import { withinRoots } from "./access/data-roots.js";
import { artifactService } from "./artifact-service.js";
import { createChildWorkers } from "./child-workers.js";
import { controllerService } from "./controller-service.js";
import { createDatasets } from "./datasets.js";
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
  /** Other than `127.0.0.1`, `::1` or `localhost` only with everything that `access` has. */
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  readonly access?: AccessOptions;
  /** How many workers to run as child processes. Others may attach. */
  readonly childWorkers: number;
  /** See `choosePython`. */
  readonly python?: string | undefined;
  readonly recover: Recovery;
  /** Given every line that a child worker writes. */
  readonly onWorkerOutput?: (line: string) => void;
  /** @default 5 */
  readonly heartbeatSeconds?: number;
  /** Whether prediction frames are encrypted also where only this machine can reach them. @default false */
  readonly encryptFrames?: boolean;
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
 * WORKSPACE_LOCKED, ADDRESS_UNAVAILABLE, STORAGE_FAILED, WORKER_FAILED (no Python), CONFIG_INVALID or FILE_NOT_FOUND
 * (as `openAccess`); nothing is left open then.
 */
export async function startController(options: ControllerOptions): Promise<Controller> {
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
  const { workspace, host, port, heartbeatSeconds = 5, encryptFrames = false } = options;
  const access = await openAccess(host, options.access ?? {});
  const opened = await openWorkspace(workspace);
  closers.push(opened.close);
  const { state, artifacts, folders, imageCache } = opened;
  const inspections = withinRoots(opened.inspections, access.roots);
  const frames = await serveFrames((await lookup(host)).address, { encrypted: encryptFrames });
  closers.push(frames.close);

  const children = createChildWorkers({
    count: options.childWorkers,
    python: choosePython(options.python),
    onOutput: options.onWorkerOutput ?? (() => {}),
  });
  const { lastWords } = children;
  const progress = createTaskProgress(state, artifacts);
  const pool = createWorkerPool({ state, progress, frames, heartbeatSeconds, lastWords, succeeds: port !== 0 });
  closers.push(pool.close);
  const shards = createShardLedger(state, artifacts, pool);
  const tally = createFrameTally(pool);
  frames.answer(shards, tally);
  const execute = runExecution({
    state,
    artifacts,
    folders,
    inspections,
    imageCache,
    shards,
    tally,
    submit: pool.tasks.submit,
  });
  const runs = createRuns(createRunLog(state), execute, access.roots);
  const datasets = createDatasets({ state, artifacts, inspections, roots: access.roots });

  const handlers = {
    artifacts: artifactService(artifacts),
    controller: controllerService({ runs, datasets, pool, state, artifacts, frames: tally.total }),
    workers: workerService(pool),
  };
  const server = createServer(handlers, access.guards);
  closers.push(server.stop, children.stop, runs.stop);
  const address = await server.listen(host, port, access.credentials);
  // Its own workers need no TLS, whose certificate may not name this machine's loopback.
  const inner = access.credentials === PLAIN ? address : await server.listen("127.0.0.1", 0, PLAIN);
  await children.start({ address: inner, token: access.workerToken }, pool);
  runs.recover(options.recover);
  return address;
}
