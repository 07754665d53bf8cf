/** Puts the controller together: state, artifacts, services, frames, workers and runs of one workspace. */
import { lookup } from "node:dns/promises";
import type { ArtifactStore } from "../core/artifacts.js";
import type { FrameCounts } from "../gen/cassl/v1/prediction_frame.js";
import type { ExecutorName } from "../pipeline/config.js";
import { createStepsUnderWay } from "../pipeline/steps-under-way.js";
import type { RayCluster } from "../ray/settings.js";
import { type AccessOptions, openAccess, PLAIN } from "./access/access.js";
import { type DataRoots, withinRoots } from "./access/data-roots.js";
import type { Authorize } from "./access/guard.js";
import { artifactService } from "./artifact-service.js";
import { createChildWorkers } from "./child-workers.js";
import { controllerService } from "./controller-service.js";
import { createDatasets } from "./datasets.js";
import { createFrameTally } from "./frame-tally.js";
import { serveFrames } from "./frames.js";
import { createMeasurements } from "./measurements.js";
import { pipelineWorkers } from "./pipeline-workers.js";
import { createPlanner } from "./planner.js";
import { createRayExecutor, type RayExecutor } from "./ray/executor.js";
import { runExecution } from "./run-execution.js";
import { createRunLog, type OnRunNews } from "./run-log.js";
import { createRuns, type Recovery, type Runs } from "./runs.js";
import { createServer } from "./server.js";
import { createShardLedger } from "./shards.js";
import type { StateStore } from "./state.js";
import { createTaskProgress } from "./tasks/progress.js";
import { choosePython } from "./worker-process.js";
import { workerService } from "./worker-service.js";
import { createWorkerPool, type WorkerPool } from "./workers.js";
import { openWorkspace } from "./workspace.js";

export interface ControllerOptions {
  /** Folder for state, artifacts and results; made if it is missing. */
  readonly workspace: string;
  /** Other than `127.0.0.1`, `::1` or `localhost` only with everything that `access` has. */
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  readonly access?: AccessOptions;
  /** Of the host, for prediction frames. @default any that is free */
  readonly framesPort?: number | undefined;
  /** How many workers to run as child processes. Others may attach. */
  readonly childWorkers: number;
  /** See `choosePython`. */
  readonly python?: string | undefined;
  readonly recover: Recovery;
  /** How many runs may be under way at a time; others wait. @default 4 */
  readonly runsAtOnce?: number;
  /** The cluster of the executor `ray`. Left out: there is none. */
  readonly ray?: RayCluster | undefined;
  /** Given every line that a child worker, or a job of Ray, writes. */
  readonly onWorkerOutput?: ((line: string) => void) | undefined;
  readonly onRunNews?: OnRunNews | undefined;
  /** @default 5 */
  readonly heartbeatSeconds?: number;
  /** Whether prediction frames are encrypted also where only this machine can reach them. @default false */
  readonly encryptFrames?: boolean;
}

export interface Controller {
  /** host:port, for clients and workers. */
  readonly address: string;
  /** What a dashboard beside it shows, and does as the API does it. */
  readonly parts: ControllerParts;
  /** Leaves runs that are under way for the next controller. */
  stop(): Promise<void>;
}

export interface ControllerParts {
  readonly runs: Runs;
  readonly pool: Pick<WorkerPool, "list">;
  readonly state: StateStore;
  readonly artifacts: ArtifactStore;
  /** Frames of predictions since the controller was started. */
  readonly frames: FrameCounts;
  /** The folder of the workspace. */
  readonly workspace: string;
  /** The folder that remote images are kept in. */
  readonly imageCache: string;
  /** Which files may be shown. */
  readonly roots: DataRoots;
  /** Undefined if no token is demanded. */
  readonly authorize: Authorize | undefined;
}

/** More would mostly wait for workers, while each may curate and evaluate on the controller's own cores. */
export const RUNS_AT_ONCE = 4;

/** Closes what is open, in reverse. */
type Closer = () => void | Promise<void>;

/**
 * WORKSPACE_LOCKED, ADDRESS_UNAVAILABLE, STORAGE_FAILED, WORKER_FAILED (no Python), CONFIG_INVALID or FILE_NOT_FOUND
 * (as `openAccess`), or what `RayExecutor.start` may throw; nothing is left open then.
 */
export async function startController(options: ControllerOptions): Promise<Controller> {
  const closers: Closer[] = [];
  const stop = async (): Promise<void> => {
    for (let close = closers.pop(); close !== undefined; close = closers.pop()) await close();
  };
  try {
    return { ...(await openAll(options, closers)), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function openAll(options: ControllerOptions, closers: Closer[]): Promise<Omit<Controller, "stop">> {
  const { workspace, host, port, heartbeatSeconds = 5, encryptFrames = false, runsAtOnce = RUNS_AT_ONCE } = options;
  const access = await openAccess(host, options.access ?? {});
  const opened = await openWorkspace(workspace);
  closers.push(opened.close);
  const { state, artifacts, folders, imageCache } = opened;
  const inspections = withinRoots(opened.inspections, access.roots);
  const frames = await serveFrames((await lookup(host)).address, {
    encrypted: encryptFrames,
    port: options.framesPort,
  });
  closers.push(frames.close);

  const children = createChildWorkers({
    count: options.childWorkers,
    python: choosePython(options.python),
    scratch: opened.scratch,
    onOutput: options.onWorkerOutput ?? (() => {}),
  });
  const ray = rayExecutor(options);
  const { lastWords } = children;
  const progress = createTaskProgress(state, artifacts);
  const pool = createWorkerPool({ state, progress, frames, heartbeatSeconds, lastWords, succeeds: port !== 0 });
  closers.push(pool.close);
  const shards = createShardLedger(state, artifacts, pool);
  const tally = createFrameTally(pool);
  frames.answer(shards, tally);
  const attached = pool.list;
  const measurements = createMeasurements({ state, artifacts, workers: attached });
  const { submit } = pool.tasks;
  const stores = { state, artifacts, inspections, imageCache };
  const stepsUnderWay = createStepsUnderWay();
  const execute = runExecution({ ...stores, folders, shards, tally, submit, measurements, stepsUnderWay, attached });
  const { roots } = access;
  const executors: readonly ExecutorName[] = ray === undefined ? ["local"] : ["local", "ray"];
  const runs = createRuns(createRunLog(state, options.onRunNews), execute, { roots, executors, atOnce: runsAtOnce });
  const datasets = createDatasets({ ...stores, roots });
  const workers = pipelineWorkers({ submit, shards, tally });
  const planner = createPlanner({
    ...stores,
    artifactFolder: opened.artifactFolder,
    roots,
    measurements,
    workers,
    attached,
  });

  const handlers = {
    artifacts: artifactService(artifacts),
    controller: controllerService({ runs, planner, datasets, pool, state, artifacts, frames: tally.total }),
    workers: workerService(pool),
  };
  const server = createServer(handlers, access.guards);
  closers.push(server.stop, children.stop, ray?.stop ?? (() => {}), runs.stop);
  const address = await server.listen(host, port, access.credentials);
  // Its own workers need no TLS, whose certificate may not name this machine's loopback.
  const inner = access.credentials === PLAIN ? address : await server.listen("127.0.0.1", 0, PLAIN);
  await children.start({ address: inner, token: access.workerToken }, pool);
  await ray?.start({ address, needsToken: access.workerToken !== undefined }, pool.tasks);
  runs.recover(options.recover);
  const { authorize } = access;
  const parts = { runs, pool, state, artifacts, frames: tally.total, workspace, imageCache, roots, authorize };
  return { address, parts };
}

function rayExecutor({ ray, workspace, onWorkerOutput }: ControllerOptions): RayExecutor | undefined {
  return ray === undefined ? undefined : createRayExecutor({ cluster: ray, workspace, onOutput: onWorkerOutput });
}
