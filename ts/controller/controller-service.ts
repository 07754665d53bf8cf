/** What ControllerService answers, from what the controller is made of. */
import type { ArtifactStore } from "../core/artifacts.js";
import { CasslError } from "../core/errors.js";
import type {
  ControllerServiceServer,
  StreamPseudoLabelsRequest,
  StreamPseudoLabelsResponse,
  WatchRunResponse,
} from "../gen/cassl/v1/controller_service.js";
import type { FrameCounts } from "../gen/cassl/v1/prediction_frame.js";
import type { WaitingTask } from "../gen/cassl/v1/run.js";
import type { Datasets } from "./datasets.js";
import { evaluateDetections } from "./evaluate-detections.js";
import type { Planner } from "./planner.js";
import { streamPseudoLabels } from "./pseudo-labels.js";
import { clientStreaming, serverStreaming, unary } from "./rpc.js";
import { pageOfRuns } from "./run-pages.js";
import type { Runs } from "./runs.js";
import type { StateStore } from "./state.js";
import type { WorkerPool } from "./workers.js";

export interface ServiceParts {
  readonly runs: Runs;
  readonly planner: Planner;
  readonly datasets: Datasets;
  readonly pool: Pick<WorkerPool, "list" | "waiting" | "drain">;
  readonly state: StateStore;
  readonly frames: FrameCounts;
  readonly artifacts: ArtifactStore;
}

export function controllerService(parts: ServiceParts): ControllerServiceServer {
  const { runs, planner, datasets, pool, artifacts, frames } = parts;
  return {
    createRun: unary(({ run_id, config, dataset, priority }) => ({
      run: runs.create(run_id, datasets.resolve(config, dataset), priority),
    })),
    planRun: unary(async ({ config, dataset, probe }, signal) => ({
      plan: await planner.plan(datasets.resolve(config, dataset), probe, signal),
    })),
    getRun: unary(({ run_id }) => ({ run: { ...runs.get(run_id), waiting_tasks: waitingFor(run_id, pool) } })),
    listRuns: unary((request) => pageOfRuns(request, runs.list)),
    cancelRun: unary(({ run_id }) => ({ run: runs.cancel(run_id) })),
    retryRun: unary(({ run_id }) => ({ run: runs.retry(run_id) })),
    overrideGates: unary(({ run_id, gates }) => ({ run: runs.overrideGates(run_id, gates) })),
    watchRun: serverStreaming(({ run_id, after_sequence }, signal) => watch(runs, run_id, after_sequence, signal)),
    streamPseudoLabels: serverStreaming((request) => pseudoLabels(parts, request)),
    registerDataset: unary(async (request, signal) => ({ dataset: await datasets.register(request, signal) })),
    listDatasets: unary(() => ({ datasets: datasets.list() })),
    evaluateDetections: clientStreaming((requests) => evaluateDetections(requests, datasets.get, artifacts)),
    listWorkers: unary(() => ({ workers: pool.list(), frames, waiting_tasks: pool.waiting() })),
    drainWorker: unary(({ worker_id }) => ({ worker: pool.drain(worker_id) })),
  };
}

function waitingFor(runId: string, pool: Pick<WorkerPool, "waiting">): WaitingTask[] {
  return pool.waiting().filter(({ steps }) => steps.some(({ run_id }) => run_id === runId));
}

async function* watch(
  runs: Runs,
  runId: string,
  afterSequence: number,
  signal: AbortSignal,
): AsyncGenerator<WatchRunResponse> {
  if (afterSequence < 0) {
    const remedy = "Give 0, or the sequence number of the last event that is known.";
    throw new CasslError("REQUEST_INVALID", `\`after_sequence\` is ${afterSequence}.`, remedy);
  }
  for await (const event of runs.watch(runId, afterSequence, signal)) yield { event };
}

async function* pseudoLabels(
  { runs, state, artifacts }: ServiceParts,
  request: StreamPseudoLabelsRequest,
): AsyncGenerator<StreamPseudoLabelsResponse> {
  yield* streamPseudoLabels(request, runs.get(request.run_id), state, artifacts);
}
