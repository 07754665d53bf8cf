/**
 * A controller whose runs are nothing but short tasks: real gRPC server, runs, worker pool and state. Started by fleet.mjs.
 *
 *     node scripts/bench/fleet-controller.mjs FOLDER
 *
 * Prints its address. The name of a run is `TASKS-OUTSTANDING`: how many tasks it has, and how many of them it submits
 * ahead; the image root of each lease is when its task was ready, in ms of the machine's monotonic clock.
 */
import { setMaxListeners } from "node:events";
import { join } from "node:path";
import { ServerCredentials } from "@grpc/grpc-js";
import { artifactService } from "../../dist/ts/controller/artifact-service.js";
import { openArtifactStore } from "../../dist/ts/controller/artifacts.js";
import { controllerService } from "../../dist/ts/controller/controller-service.js";
import { createDatasets } from "../../dist/ts/controller/datasets.js";
import { noFrames } from "../../dist/ts/controller/frame-counts.js";
import { serveFrames } from "../../dist/ts/controller/frames.js";
import { createRunLog } from "../../dist/ts/controller/run-log.js";
import { createRuns } from "../../dist/ts/controller/runs.js";
import { createServer } from "../../dist/ts/controller/server.js";
import { openState } from "../../dist/ts/controller/state.js";
import { createTaskProgress } from "../../dist/ts/controller/tasks/progress.js";
import { workerService } from "../../dist/ts/controller/worker-service.js";
import { createWorkerPool } from "../../dist/ts/controller/workers.js";
import { TrainTask } from "../../dist/ts/gen/cassl/v1/task.js";
import { monotonicMs } from "./monotonic.mjs";

const TASKS_PER_EVENT = 100;

const folder = process.argv[2];
const artifacts = await openArtifactStore(join(folder, "artifacts"));
const state = openState(join(folder, "state.db"));
const pool = createWorkerPool({
  state,
  progress: createTaskProgress(state, artifacts),
  frames: await serveFrames("127.0.0.1"),
  heartbeatSeconds: 5,
  lastWords: async () => "",
});
const task = { kind: { $case: "train", value: TrainTask.fromPartial({ detector: { family: "light" } }) } };

/** Submits tasks so that `outstanding` are always under way, and tells of every hundredth that is done. */
async function execute({ run_id }, config, emit, signal) {
  setMaxListeners(0, signal);
  const [tasks, outstanding] = config.name.split("-").map(Number);
  let next = 0;
  let done = 0;
  const submitInTurn = async () => {
    while (next < tasks) {
      const request = { taskId: `${run_id}-${next++}`, task, imageRoot: String(monotonicMs()) };
      await pool.tasks.submit(request, () => {}, signal);
      done++;
      if (done % TASKS_PER_EVENT === 0)
        emit({ $case: "log", value: { level: "info", text: `${done} tasks are done` } });
    }
  };
  await Promise.all(Array.from({ length: outstanding }, submitInTurn));
  return { finishedAt: new Date(), result: await artifacts.put(Buffer.from(String(done))) };
}

const server = createServer({
  artifacts: artifactService(artifacts),
  controller: controllerService({
    runs: createRuns(createRunLog(state), execute, { atOnce: 1 }),
    datasets: createDatasets({ state, artifacts }),
    pool,
    state,
    artifacts,
    frames: noFrames(),
  }),
  workers: workerService(pool),
});
console.log(await server.listen("127.0.0.1", 0, ServerCredentials.createInsecure()));
process.on("SIGTERM", () => process.exit(0));
