/** A controller's client. Every failure is a CasslError: the controller's own, or CONTROLLER_UNREACHABLE. */
import { setTimeout as delay } from "node:timers/promises";
import { credentials } from "@grpc/grpc-js";
import { CasslError } from "../core/errors.js";
import { ArtifactServiceClient } from "../gen/cassl/v1/artifact_service.js";
import { ControllerServiceClient, type WatchRunResponse, type Worker } from "../gen/cassl/v1/controller_service.js";
import type { Run, RunConfig, RunEvent } from "../gen/cassl/v1/run.js";
import { CONNECTION_OPTIONS } from "../grpc/limits.js";
import { callUnary, readStream } from "./calls.js";

export interface CasslClient {
  /** Idempotent by id. CONFIG_INVALID names the field; RUN_EXISTS if the id is taken by another configuration. */
  createRun(runId: string, config: RunConfig): Promise<Run>;
  /** RUN_NOT_FOUND if there is no such run. */
  getRun(runId: string): Promise<Run>;
  /** Newest first. */
  listRuns(): Promise<Run[]>;
  /** Harmless for a run that has ended. RUN_NOT_FOUND if there is no such run. */
  cancelRun(runId: string): Promise<Run>;
  /**
   * The run's events after a sequence number (0: from the beginning), and those to come until it ends. A stream that
   * breaks is taken up where it was. RUN_NOT_FOUND if there is no such run; CANCELLED when `signal` aborts.
   */
  watchRun(runId: string, afterSequence?: number, signal?: AbortSignal): AsyncIterable<RunEvent>;
  listWorkers(): Promise<Worker[]>;
  /** ARTIFACT_NOT_FOUND if there is none. */
  getArtifact(sha256: string): Promise<Uint8Array>;
  close(): void;
}

/** How long to wait before each retry: a watcher outlives a controller's restart of some 15 seconds. */
const RETRIES_MS = [250, 500, 1000, 2000, 4000, 8000] as const;

/** Opens no connection yet: the first call does. */
export function connect(address: string): CasslClient {
  const controller = new ControllerServiceClient(address, credentials.createInsecure(), CONNECTION_OPTIONS);
  const artifacts = new ArtifactServiceClient(address, credentials.createInsecure(), CONNECTION_OPTIONS);

  return {
    async createRun(run_id, config) {
      const { run } = await callUnary(controller.createRun.bind(controller), { run_id, config }, address);
      return run as Run;
    },
    async getRun(run_id) {
      const { run } = await callUnary(controller.getRun.bind(controller), { run_id }, address);
      return run as Run;
    },
    async listRuns() {
      return (await callUnary(controller.listRuns.bind(controller), {}, address)).runs;
    },
    async cancelRun(run_id) {
      const { run } = await callUnary(controller.cancelRun.bind(controller), { run_id }, address);
      return run as Run;
    },
    watchRun(run_id, afterSequence = 0, signal) {
      const watch = (after_sequence: number): AsyncIterable<WatchRunResponse> =>
        readStream(() => controller.watchRun({ run_id, after_sequence }), address, signal);
      return followEvents(watch, afterSequence, signal);
    },
    async listWorkers() {
      return (await callUnary(controller.listWorkers.bind(controller), {}, address)).workers;
    },
    async getArtifact(sha256) {
      const chunks: Uint8Array[] = [];
      for await (const { chunk } of readStream(() => artifacts.getArtifact({ sha256 }), address)) chunks.push(chunk);
      return Buffer.concat(chunks);
    },
    close() {
      controller.close();
      artifacts.close();
    },
  };
}

/** Watches again, after the last event, when a stream that has worked breaks. */
async function* followEvents(
  watch: (afterSequence: number) => AsyncIterable<WatchRunResponse>,
  afterSequence: number,
  signal: AbortSignal | undefined,
): AsyncGenerator<RunEvent, void, undefined> {
  let sequence = afterSequence;
  let retries = RETRIES_MS.values();
  let worked = false;
  for (;;) {
    try {
      for await (const { event } of watch(sequence)) {
        yield event as RunEvent;
        sequence = (event as RunEvent).sequence;
        retries = RETRIES_MS.values();
        worked = true;
      }
      return;
    } catch (error) {
      const next = retries.next();
      if (CasslError.from(error).reason !== "CONTROLLER_UNREACHABLE" || !worked || next.done === true) throw error;
      await pause(next.value, signal);
    }
  }
}

/** Waits, with jitter so that watchers do not come back all at once. CANCELLED when `signal` aborts. */
async function pause(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  try {
    await delay(milliseconds * (0.75 + Math.random() / 2), undefined, signal && { signal });
  } catch (error) {
    throw CasslError.from(error);
  }
}
