/** The controller's parts on real files and real sockets, in a temporary folder, without runs. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Server, ServerCredentials } from "@grpc/grpc-js";
import { artifactService } from "../../../ts/controller/artifact-service.js";
import { openArtifactStore, type ResumableArtifactStore } from "../../../ts/controller/artifacts.js";
import { createFrameTally, type FrameTally } from "../../../ts/controller/frame-tally.js";
import { serveFrames } from "../../../ts/controller/frames.js";
import { createShardLedger, type ShardLedger } from "../../../ts/controller/shards.js";
import { openState, type StateStore } from "../../../ts/controller/state.js";
import { createTaskProgress } from "../../../ts/controller/tasks/progress.js";
import { workerService } from "../../../ts/controller/worker-service.js";
import { createWorkerPool, type WorkerPool } from "../../../ts/controller/workers.js";
import { ArtifactServiceService } from "../../../ts/gen/cassl/v1/artifact_service.js";
import { WorkerServiceService } from "../../../ts/gen/cassl/v1/worker_service.js";

export interface Workbench {
  readonly address: string;
  readonly framesEndpoint: string;
  readonly artifacts: ResumableArtifactStore;
  readonly state: StateStore;
  readonly shards: ShardLedger;
  readonly tally: FrameTally;
  readonly pool: WorkerPool;
  close(): Promise<void>;
}

export async function makeFolder(): Promise<string> {
  return mkdtemp(join(tmpdir(), "cassl-test-"));
}

export async function openWorkbench({ heartbeatSeconds = 5, succeeds = false } = {}): Promise<Workbench> {
  const folder = await makeFolder();
  const artifacts = await openArtifactStore(join(folder, "artifacts"));
  const state = openState(join(folder, "state.db"));
  const frames = await serveFrames("127.0.0.1");
  const pool = createWorkerPool({
    state,
    progress: createTaskProgress(state, artifacts),
    frames,
    heartbeatSeconds,
    succeeds,
    lastWords: async () => "",
  });
  const shards = createShardLedger(state, artifacts, pool);
  const tally = createFrameTally(pool);
  frames.answer(shards, tally);
  const server = new Server();
  server.addService(ArtifactServiceService, artifactService(artifacts));
  server.addService(WorkerServiceService, workerService(pool));
  const address = await listen(server);
  return {
    address,
    framesEndpoint: frames.endpoint,
    artifacts,
    state,
    shards,
    tally,
    pool,
    async close() {
      pool.close();
      server.forceShutdown();
      await frames.close();
      state.close();
      await rm(folder, { recursive: true });
    },
  };
}

function listen(server: Server): Promise<string> {
  return new Promise((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, port) =>
      error === null ? resolve(`127.0.0.1:${port}`) : reject(error),
    );
  });
}
