import assert from "node:assert/strict";
import { createRayExecutor, type RayExecutor } from "../../../../ts/controller/ray/executor.js";
import type { TaskNews } from "../../../../ts/controller/tasks/execution.js";
import { sha256 } from "../../../../ts/core/hash.js";
import { PredictTask, type Task, type TaskOutput, TrainTask } from "../../../../ts/gen/cassl/v1/task.js";
import type { Config } from "../../../../ts/pipeline/config.js";
import { parseRaySettings } from "../../../../ts/ray/settings.js";
import { attachWorker, type FakeWorker } from "../fake-worker.js";
import { openWorkbench, type Workbench } from "../workbench.js";
import { type RayStandIn, type SubmittedJob, startRayStandIn, TOKEN } from "./ray-stand-in.js";

const detector = { family: "light" };
const train: Task = { kind: { $case: "train", value: TrainTask.fromPartial({ detector }) } };
const predict: Task = {
  kind: { $case: "predict", value: PredictTask.fromPartial({ detector, predict: { shard_size: 1 } }) },
};
const TASK_ID = "7a5c";
const WORKSPACE = "/workspace";
/** As jobs know it. */
const CONTROLLER = sha256(WORKSPACE).slice(0, 16);
const trained: TaskOutput["kind"] = {
  $case: "train",
  value: { weights: { sha256: "a".repeat(64), size_bytes: 1 }, iterations: 10, transplant_ledger: undefined },
};

describe("the executor ray", () => {
  let bench: Workbench;
  let ray: RayStandIn;
  let executor: RayExecutor;
  let abort: AbortController;

  beforeEach(async () => {
    [bench, ray] = [await openWorkbench({ heartbeatSeconds: 0.05 }), await startRayStandIn()];
    abort = new AbortController();
  });
  afterEach(async () => {
    abort.abort();
    await executor.stop();
    await bench.close();
    await ray.close();
  });

  function create(settings: object = {}, { address = ray.address, token = TOKEN } = {}): RayExecutor {
    const cluster = parseRaySettings(JSON.stringify({ address, storage: "/mnt/shared", ...settings }), "ray.yaml");
    const options = { cluster: { ...cluster, token }, workspace: WORKSPACE, onOutput: undefined };
    executor = createRayExecutor({ ...options, pollMs: 10 });
    return executor;
  }

  const start = (settings: object = {}): Promise<void> =>
    create(settings).start({ address: bench.address, needsToken: false }, bench.pool.tasks);

  interface Submitted {
    readonly events: TaskNews[];
    readonly output: Promise<TaskOutput>;
  }

  function submit(options: { task?: Task; imageCount?: number; device?: Config["needs"]["device"] } = {}): Submitted {
    const { task = train, imageCount = 0, device = "any" } = options;
    const events: TaskNews[] = [];
    const needs = { device, gpu_memory_gb: 0, memory_gb: 0 };
    const request = { taskId: TASK_ID, task, imageRoot: "", imageCount, needs, executor: "ray" as const };
    const output = bench.pool.tasks.submit(request, (event) => events.push(event), abort.signal);
    output.catch(() => {});
    return { events, output };
  }

  /** The worker that a job would start. */
  function workerOf(job: SubmittedJob): FakeWorker {
    job.status = "RUNNING";
    const { task = "", attempt } = job.request.metadata;
    return attachWorker(bench.address, { reserved_for: { task_id: task, attempt: Number(attempt) } });
  }

  it("has a job's worker do the task, and no other worker", async () => {
    await start();
    const other = attachWorker(bench.address);
    const { output } = submit();
    const job = await ray.submitted();
    assert.equal(job.request.submission_id, `${TASK_ID}-1`);
    const worker = workerOf(job);
    const lease = await worker.next("lease");
    assert.deepEqual(lease.task_attempt, { task_id: TASK_ID, attempt: 1 });
    worker.succeed(lease, trained);
    assert.deepEqual(await output, { kind: trained });
    assert.equal(ray.jobs.size, 1);
    other.die();
    await assert.rejects(other.next("lease"), /the stream ended without lease/);
  });

  it("gives a job's worker all shards of a prediction", async () => {
    await start();
    submit({ task: predict, imageCount: 3 });
    const lease = await workerOf(await ray.submitted()).next("lease");
    assert.deepEqual(lease.shards, [0, 1, 2]);
  });

  it("begins the next attempt when a job ends without a result, and refuses a worker of the former", async () => {
    await start();
    const { events, output } = submit();
    const first = await ray.submitted();
    Object.assign(first, { status: "FAILED", message: "Job entrypoint command failed with exit code 1" });
    const second = await ray.submitted();
    assert.equal(second.request.submission_id, `${TASK_ID}-2`);
    assert.equal((await workerOf(first).ended)?.code, 10);
    const worker = workerOf(second);
    worker.succeed(await worker.next("lease"), trained);
    await output;
    assert.match(JSON.stringify(events), /Attempt 1 ended: the job 7a5c-1 of Ray ended without a result \(FAILED\)/);
  });

  it("begins the next attempt when the head has forgotten the job, and tells the worker to stop", async () => {
    await start();
    submit();
    const worker = workerOf(await ray.submitted());
    await worker.next("lease");
    ray.jobs.clear();
    assert.equal((await ray.submitted()).request.submission_id, `${TASK_ID}-2`);
    await worker.next("cancel");
  });

  it("gives up with the name of the fault when three jobs come no further", async () => {
    await start();
    const { output } = submit();
    for (let count = 0; count < 3; count++) {
      Object.assign(await ray.submitted(), { status: "FAILED", message: "failed with exit code -9" });
    }
    await assert.rejects(output, { reason: "RAY_OUT_OF_MEMORY", message: /3 attempts came no further/ });
  });

  it("gives up with what the worker names as Ray's fault", async () => {
    await start();
    const { output } = submit();
    for (let count = 0; count < 3; count++) {
      const job = await ray.submitted();
      const worker = workerOf(job);
      worker.fail(await worker.next("lease"), "RAY_JOB_FAILED", "The training failed on Ray: lost");
      await worker.next("result_received");
      worker.leave();
      job.status = "SUCCEEDED";
    }
    await assert.rejects(output, { reason: "RAY_JOB_FAILED", message: /3 attempts came no further.*Ray: lost/ });
  });

  it("fails at once with what the worker says that no other attempt would change", async () => {
    await start();
    const { output } = submit();
    const message = "logs:\ncassl-worker: RAY_VERSION_MISMATCH: The job has Ray 2.9. Install 2.60.\n";
    Object.assign(await ray.submitted(), { status: "FAILED", message });
    await assert.rejects(output, { reason: "RAY_VERSION_MISMATCH", message: /The job has Ray 2\.9/ });
    assert.equal(ray.jobs.size, 1);
  });

  it("takes another number where the id is that of somebody else's job", async () => {
    const metadata = { controller: "other", address: bench.address, task: TASK_ID, attempt: "1" };
    const request = { submission_id: `${TASK_ID}-1`, metadata };
    ray.jobs.set(`${TASK_ID}-1`, { request, status: "RUNNING", message: "" });
    await start();
    submit();
    assert.equal((await ray.submitted()).request.submission_id, `${TASK_ID}-2`);
    assert.equal(ray.jobs.get(`${TASK_ID}-1`)?.status, "RUNNING");
  });

  it("goes on with the job of an earlier controller that attaches here", async () => {
    const attempt = String(bench.state.nextAttempt(TASK_ID));
    const metadata = { controller: CONTROLLER, address: bench.address, task: TASK_ID, attempt };
    const job: SubmittedJob = { request: { submission_id: `${TASK_ID}-1`, metadata }, status: "RUNNING", message: "" };
    ray.jobs.set(`${TASK_ID}-1`, job);
    await start();
    const { output } = submit();
    const worker = workerOf(job);
    worker.succeed(await worker.next("lease"), trained);
    await output;
    assert.equal(ray.jobs.size, 1);
  });

  it("stops the job of an earlier controller that attaches elsewhere", async () => {
    const attempt = String(bench.state.nextAttempt(TASK_ID));
    const metadata = { controller: CONTROLLER, address: "127.0.0.1:1", task: TASK_ID, attempt };
    const job: SubmittedJob = { request: { submission_id: `${TASK_ID}-1`, metadata }, status: "RUNNING", message: "" };
    ray.jobs.set(`${TASK_ID}-1`, job);
    await start();
    submit();
    assert.equal((await ray.submitted()).request.submission_id, `${TASK_ID}-2`);
    assert.equal(job.status, "STOPPED");
  });

  it("fails with what is missing when a job does not begin in time", async () => {
    await start({ pending_seconds: 0.05, export: { gpus: 1 }, driver: { gpus: 1 } });
    const { output } = submit();
    const job = await ray.submitted();
    await assert.rejects(output, { reason: "RAY_RESOURCES_MISSING", message: /No node of the cluster has 1 GPU/ });
    await executor.stop();
    assert.equal(job.status, "STOPPED");
  });

  it("stops the job of a task that is cancelled", async () => {
    await start();
    const { output } = submit();
    const job = await ray.submitted();
    abort.abort();
    await assert.rejects(output, { reason: "CANCELLED" });
    while (job.status !== "STOPPED") await new Promise((resolve) => setTimeout(resolve, 5));
  });

  it("refuses a run that needs a GPU where jobs are given none", async () => {
    await start();
    await assert.rejects(submit({ device: "cuda" }).output, { reason: "CONFIG_INVALID", message: /train\.gpus/ });
    assert.equal(ray.jobs.size, 0);
    // The same task, after the remedy.
    submit({ device: "any" });
    await ray.submitted();
  });

  it("says what is wrong with the cluster before anything is begun", async () => {
    const entrance = { address: bench.address, needsToken: false };
    const begin = (options: { address?: string; token?: string }): Promise<void> =>
      create({}, options).start(entrance, bench.pool.tasks);
    await assert.rejects(begin({ token: "wrong" }), { reason: "RAY_TOKEN_REFUSED" });
    await assert.rejects(begin({ address: "http://127.0.0.1:9" }), { reason: "RAY_UNREACHABLE" });
    ray.version = "2.9.3";
    await assert.rejects(begin({}), { reason: "RAY_VERSION_MISMATCH", message: /Ray 2\.9\.3/ });
  });

  it("says what jobs lack to attach", async () => {
    const begin = (address: string, needsToken: boolean): Promise<void> =>
      create().start({ address, needsToken }, bench.pool.tasks);
    await assert.rejects(begin(bench.address, true), { reason: "CONFIG_INVALID", message: /demands tokens/ });
    await assert.rejects(begin("0.0.0.0:7070", false), { reason: "CONFIG_INVALID", message: /all addresses/ });
  });
});
