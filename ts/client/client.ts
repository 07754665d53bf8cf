/** A controller's client. Every failure is a CasslError: the controller's own, or CONTROLLER_UNREACHABLE. */
import { fromErrorDetail } from "../core/errors.js";
import { type ArtifactRef, ArtifactServiceClient } from "../gen/cassl/v1/artifact_service.js";
import {
  ControllerServiceClient,
  type EvaluateDetectionsRequest,
  type EvaluateDetectionsResponse,
  type ImageDetections,
  type ListWorkersResponse,
  type PseudoLabeledImage,
  type RegisteredDataset,
  type RunPlan,
  type Worker,
} from "../gen/cassl/v1/controller_service.js";
import type { DataConfig, Run, RunConfig, RunEvent, State } from "../gen/cassl/v1/run.js";
import { HealthCheckResponse_ServingStatus, HealthClient } from "../gen/grpc/health/v1/health.js";
import { UNARY_DEADLINE_MS } from "../grpc/limits.js";
import type { RunResult } from "../pipeline/pipeline.js";
import { download, upload } from "./artifact-transfer.js";
import { type CallContext, type CallSettings, callUnary, readStream, sendStream } from "./calls.js";
import { type ConnectionOptions, connection } from "./connection.js";
import { resumingStream } from "./resuming.js";

export type { CallSettings } from "./calls.js";

export interface CasslClientOptions extends ConnectionOptions {
  /** How long a call that names no time waits for its answer. @default 60 */
  readonly timeoutSeconds?: number;
}

export interface RunFilter {
  /** Runs in one of these states. Left out: in any. */
  readonly states?: readonly State[];
  /** Runs of this name. Left out: of any. */
  readonly name?: string;
}

/** A day: of calls whose work is as long as the data are large. */
const NO_LIMIT_SECONDS = 86_400;

/**
 * The controller at an address. It is connected to by the first call, and again whenever that is needed.
 * Every method may be given a signal, which ends it with CANCELLED.
 */
export class CasslClient {
  readonly #controller: ControllerServiceClient;
  readonly #artifacts: ArtifactServiceClient;
  readonly #health: HealthClient;
  readonly #context: CallContext;

  /** CONFIG_INVALID if the token cannot be one, or would go to another machine in plain text. */
  constructor(address: string, { timeoutSeconds = UNARY_DEADLINE_MS / 1000, ...how }: CasslClientOptions = {}) {
    const { credentials, options } = connection(address, how);
    this.#controller = new ControllerServiceClient(address, credentials, options);
    this.#artifacts = new ArtifactServiceClient(address, credentials, options);
    this.#health = new HealthClient(address, credentials, options);
    this.#context = { address, timeoutSeconds };
  }

  /** Whether the controller takes calls; not so while it stops. Needs no token. */
  async serves(settings?: CallSettings): Promise<boolean> {
    const method = this.#health.check.bind(this.#health);
    const { status } = await callUnary(method, { service: "" }, this.#context, settings);
    return status === HealthCheckResponse_ServingStatus.SERVING;
  }

  /**
   * Idempotent by id. CONFIG_INVALID names the field; RUN_EXISTS if the id is taken by another configuration.
   * @param settings with `dataset`, the run is on the registered data set of that name, and `config.data` is not read;
   * DATASET_NOT_FOUND if there is none. With a higher `priority` (0 by default) it goes before other runs.
   */
  async createRun(
    runId: string,
    config: RunConfig,
    {
      dataset = "",
      priority = 0,
      ...settings
    }: CallSettings & { readonly dataset?: string; readonly priority?: number } = {},
  ): Promise<Run> {
    const method = this.#controller.createRun.bind(this.#controller);
    const request = { run_id: runId, config: onDataset(config, dataset), dataset, priority };
    const { run } = await callUnary(method, request, this.#context, settings);
    return run as Run;
  }

  /**
   * What `createRun` with the same configuration would do, and how long it would take. Looks into the images, which a run
   * reuses, and may take long. @param settings `probe`: train for 20 iterations what was never measured; `dataset`: as there.
   */
  async planRun(
    config: RunConfig,
    {
      dataset = "",
      probe = false,
      timeoutSeconds = NO_LIMIT_SECONDS,
      signal,
    }: CallSettings & { readonly dataset?: string; readonly probe?: boolean } = {},
  ): Promise<RunPlan> {
    const method = this.#controller.planRun.bind(this.#controller);
    const request = { config: onDataset(config, dataset), dataset, probe };
    return (await callUnary(method, request, this.#context, { timeoutSeconds, signal })).plan as RunPlan;
  }

  /** RUN_NOT_FOUND if there is no such run. */
  async getRun(runId: string, settings?: CallSettings): Promise<Run> {
    const method = this.#controller.getRun.bind(this.#controller);
    return (await callUnary(method, { run_id: runId }, this.#context, settings)).run as Run;
  }

  /** Newest first, all pages of them. */
  async listRuns({ states = [], name = "" }: RunFilter = {}, settings?: CallSettings): Promise<Run[]> {
    const method = this.#controller.listRuns.bind(this.#controller);
    const found: Run[] = [];
    let page_token = "";
    do {
      const request = { states: [...states], name, page_size: 0, page_token };
      const page = await callUnary(method, request, this.#context, settings);
      found.push(...page.runs);
      page_token = page.next_page_token;
    } while (page_token !== "");
    return found;
  }

  /** Harmless for a run that has ended. RUN_NOT_FOUND if there is no such run. */
  async cancelRun(runId: string, settings?: CallSettings): Promise<Run> {
    const method = this.#controller.cancelRun.bind(this.#controller);
    return (await callUnary(method, { run_id: runId }, this.#context, settings)).run as Run;
  }

  /**
   * Goes on with a run that has failed or was cancelled; harmless for one that has not ended.
   * RUN_NOT_FOUND if there is no such run; RUN_FINISHED if it has succeeded.
   */
  async retryRun(runId: string, settings?: CallSettings): Promise<Run> {
    const method = this.#controller.retryRun.bind(this.#controller);
    return (await callUnary(method, { run_id: runId }, this.#context, settings)).run as Run;
  }

  /**
   * Goes on with a run that gates have stopped, which stop it no more.
   * RUN_NOT_FOUND if there is no such run; GATE_NOT_FAILED if one of the gates has not stopped it.
   */
  async overrideGates(runId: string, gates: readonly string[], settings?: CallSettings): Promise<Run> {
    const method = this.#controller.overrideGates.bind(this.#controller);
    return (await callUnary(method, { run_id: runId, gates: [...gates] }, this.#context, settings)).run as Run;
  }

  /**
   * The run's events after a sequence number (0: from the beginning), and those to come until it ends. A stream that
   * breaks is taken up where it was. RUN_NOT_FOUND if there is no such run; CANCELLED when `signal` aborts.
   */
  async *watchRun(runId: string, afterSequence = 0, signal?: AbortSignal): AsyncGenerator<RunEvent, void, undefined> {
    const open = (after_sequence: number) =>
      readStream(() => this.#controller.watchRun({ run_id: runId, after_sequence }), this.#context, signal);
    const next = (_: number, { event }: { event: RunEvent | undefined }): number => (event as RunEvent).sequence;
    for await (const { event } of resumingStream(open, afterSequence, next, signal)) yield event as RunEvent;
  }

  /**
   * The pseudo labels of an arm, image by image, in the order of the unlabeled set. A stream that breaks is taken up where it
   * was. RUN_NOT_FOUND; PSEUDO_LABELS_NOT_FOUND if the run has not selected them yet, or the arm has none.
   */
  async *streamPseudoLabels(
    runId: string,
    arm: string,
    { round = 1, signal }: { readonly round?: number; readonly signal?: AbortSignal } = {},
  ): AsyncGenerator<PseudoLabeledImage, void, undefined> {
    const open = (skip_images: number) =>
      readStream(
        () => this.#controller.streamPseudoLabels({ run_id: runId, arm, skip_images, round }),
        this.#context,
        signal,
      );
    const pages = resumingStream(open, 0, (count, { images }) => count + images.length, signal);
    for await (const { images } of pages) yield* images;
  }

  /**
   * Looks into the images of a data set and keeps the result under a name; it may take long. Idempotent by name.
   * DATASET_EXISTS if the name is taken by other data; otherwise what is wrong with the data.
   */
  async registerDataset(
    name: string,
    data: DataConfig,
    { seed = 0, timeoutSeconds = NO_LIMIT_SECONDS, signal }: CallSettings & { readonly seed?: number } = {},
  ): Promise<RegisteredDataset> {
    const method = this.#controller.registerDataset.bind(this.#controller);
    const settings = { timeoutSeconds, signal };
    return (await callUnary(method, { name, data, seed }, this.#context, settings)).dataset as RegisteredDataset;
  }

  async listDatasets(settings?: CallSettings): Promise<RegisteredDataset[]> {
    const method = this.#controller.listDatasets.bind(this.#controller);
    return (await callUnary(method, {}, this.#context, settings)).datasets;
  }

  /**
   * COCO numbers of detections on the validation images of a registered data set. Images may come in any order.
   * DATASET_NOT_FOUND; ANNOTATIONS_INVALID names an image or a value that is wrong.
   */
  async evaluateDetections(
    dataset: string,
    detections: AsyncIterable<ImageDetections> | Iterable<ImageDetections>,
    settings?: CallSettings,
  ): Promise<EvaluateDetectionsResponse> {
    async function* messages(): AsyncGenerator<EvaluateDetectionsRequest> {
      yield { message: { $case: "start", value: { dataset } } };
      for await (const value of detections) yield { message: { $case: "detections", value } };
    }
    const start = this.#controller.evaluateDetections.bind(this.#controller);
    return sendStream((callback) => start(callback), messages(), this.#context, settings);
  }

  /**
   * Waits for the end of a run and gives its result.json. Throws what the run has failed with.
   * RUN_NOT_FOUND if there is no such run; CANCELLED when `signal` aborts, which leaves the run alone.
   */
  async resultOf(runId: string, signal?: AbortSignal): Promise<RunResult> {
    for await (const _ of this.watchRun(runId, 0, signal));
    const run = await this.getRun(runId, { signal });
    if (run.error !== undefined) throw fromErrorDetail(run.error);
    return this.readResult(run, signal);
  }

  /** The result.json of a run that has succeeded. ARTIFACT_NOT_FOUND if it has none. */
  async readResult({ result }: Run, signal?: AbortSignal): Promise<RunResult> {
    const bytes = await this.getArtifact(result?.sha256 ?? "", signal);
    return JSON.parse(Buffer.from(bytes).toString()) as RunResult;
  }

  async listWorkers(settings?: CallSettings): Promise<Worker[]> {
    return (await this.fleet(settings)).workers;
  }

  /** The attached workers with what they are at, and the tasks that no worker has, each with the reason. */
  fleet(settings?: CallSettings): Promise<ListWorkersResponse> {
    const method = this.#controller.listWorkers.bind(this.#controller);
    return callUnary(method, {}, this.#context, settings);
  }

  /** Has a worker leave after the task under way. WORKER_NOT_FOUND if it is not attached. */
  async drainWorker(workerId: string, settings?: CallSettings): Promise<Worker> {
    const method = this.#controller.drainWorker.bind(this.#controller);
    return (await callUnary(method, { worker_id: workerId }, this.#context, settings)).worker as Worker;
  }

  /** A whole artifact, whose hash is checked. ARTIFACT_NOT_FOUND if there is none. */
  async getArtifact(sha256: string, signal?: AbortSignal): Promise<Uint8Array> {
    const chunks: Uint8Array[] = [];
    for await (const chunk of this.readArtifact(sha256, signal)) chunks.push(chunk);
    return Buffer.concat(chunks);
  }

  /** The same in chunks, for what should not be in memory: ARTIFACT_CORRUPT comes after the last one. */
  readArtifact(sha256: string, signal?: AbortSignal): AsyncGenerator<Uint8Array, void, undefined> {
    return download(this.#artifacts, sha256, this.#context, signal);
  }

  /**
   * Stores bytes, or the file at a path, unless the controller has them.
   * FILE_NOT_FOUND if the file cannot be read; STORAGE_FAILED if the controller's disk is full.
   */
  putArtifact(source: Uint8Array | string, settings: CallSettings = {}): Promise<ArtifactRef> {
    return upload(this.#artifacts, source, this.#context, settings);
  }

  close(): void {
    this.#controller.close();
    this.#artifacts.close();
    this.#health.close();
  }
}

/** A registered data set stands in place of the configuration's own. */
function onDataset(config: RunConfig, dataset: string): RunConfig {
  return dataset === "" ? config : { ...config, data: undefined };
}
