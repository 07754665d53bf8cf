import type { ControllerServiceServer, WatchRunResponse } from "../gen/cassl/v1/controller_service.js";
import { serverStreaming, unary } from "./rpc.js";
import type { Runs } from "./runs.js";
import type { WorkerPool } from "./workers.js";

export function controllerService(runs: Runs, pool: Pick<WorkerPool, "list">): ControllerServiceServer {
  return {
    createRun: unary(({ run_id, config }) => ({ run: runs.create(run_id, config) })),
    getRun: unary(({ run_id }) => ({ run: runs.get(run_id) })),
    listRuns: unary(() => ({ runs: runs.list() })),
    cancelRun: unary(({ run_id }) => ({ run: runs.cancel(run_id) })),
    watchRun: serverStreaming(({ run_id, after_sequence }, signal) => responses(runs, run_id, after_sequence, signal)),
    listWorkers: unary(() => ({ workers: pool.list() })),
  };
}

async function* responses(
  runs: Runs,
  runId: string,
  afterSequence: number,
  signal: AbortSignal,
): AsyncGenerator<WatchRunResponse> {
  for await (const event of runs.watch(runId, afterSequence, signal)) yield { event };
}
