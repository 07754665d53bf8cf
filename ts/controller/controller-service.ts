import { CasslError } from "../core/errors.js";
import type { ControllerServiceServer, WatchRunResponse } from "../gen/cassl/v1/controller_service.js";
import type { FrameCounts } from "../gen/cassl/v1/prediction_frame.js";
import { serverStreaming, unary } from "./rpc.js";
import { pageOfRuns } from "./run-pages.js";
import type { Runs } from "./runs.js";
import type { WorkerPool } from "./workers.js";

export function controllerService(
  runs: Runs,
  pool: Pick<WorkerPool, "list" | "drain">,
  frames: FrameCounts,
): ControllerServiceServer {
  return {
    createRun: unary(({ run_id, config }) => ({ run: runs.create(run_id, config) })),
    getRun: unary(({ run_id }) => ({ run: runs.get(run_id) })),
    listRuns: unary((request) => pageOfRuns(request, runs.list)),
    cancelRun: unary(({ run_id }) => ({ run: runs.cancel(run_id) })),
    retryRun: unary(({ run_id }) => ({ run: runs.retry(run_id) })),
    watchRun: serverStreaming(({ run_id, after_sequence }, signal) => responses(runs, run_id, after_sequence, signal)),
    listWorkers: unary(() => ({ workers: pool.list(), frames })),
    drainWorker: unary(({ worker_id }) => ({ worker: pool.drain(worker_id) })),
  };
}

async function* responses(
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
