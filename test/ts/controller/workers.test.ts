import assert from "node:assert/strict";
import type { TaskNews } from "../../../ts/controller/tasks/execution.js";
import { CasslError } from "../../../ts/core/errors.js";
import type { ArtifactRef } from "../../../ts/gen/cassl/v1/artifact_service.js";
import { ExportTask, PredictTask, type Task, type TaskOutput, TrainTask } from "../../../ts/gen/cassl/v1/task.js";
import type { Lease } from "../../../ts/gen/cassl/v1/worker_service.js";
import { attachWorker } from "./fake-worker.js";
import { openWorkbench, type Workbench } from "./workbench.js";

const detector = { family: "light" };
const train: Task = { kind: { $case: "train", value: TrainTask.fromPartial({ detector }) } };
const predict: Task = {
  kind: { $case: "predict", value: PredictTask.fromPartial({ detector, predict: { shard_size: 1 } }) },
};
const weights: ArtifactRef = { sha256: "a".repeat(64), size_bytes: 1 };
const trained: TaskOutput["kind"] = {
  $case: "train",
  value: { weights, iterations: 10, transplant_ledger: undefined },
};

describe("worker leases", () => {
  let bench: Workbench;

  beforeEach(async () => {
    bench = await openWorkbench();
  });
  afterEach(() => bench.close());

  interface Submitted {
    readonly events: TaskNews[];
    readonly output: Promise<TaskOutput>;
    readonly abort: AbortController;
  }

  const submit = (taskId: string, task: Task = train, imageCount = 0): Submitted => {
    const events: Submitted["events"] = [];
    const abort = new AbortController();
    const output = bench.pool.tasks.submit(
      { taskId, task, imageRoot: "/images", imageCount },
      (event) => events.push(event),
      abort.signal,
    );
    output.catch(() => {});
    return { events, output, abort };
  };

  const failsWith = (output: Promise<unknown>, reason: string, message: RegExp): Promise<void> =>
    assert.rejects(
      output,
      (error) => error instanceof CasslError && error.reason === reason && message.test(error.message),
    );

  it("welcomes a worker, leases it the task and returns its output", async () => {
    const { events, output } = submit("t");
    const worker = attachWorker(bench.address);
    const welcome = await worker.next("welcome");
    assert.equal(welcome.frames_endpoint, bench.framesEndpoint);
    const lease = await worker.next("lease");
    assert.deepEqual(lease.task_attempt, { task_id: "t", attempt: 1 });
    assert.equal(lease.image_root, "/images");
    assert.deepEqual(lease.task, train);
    assert.equal(lease.resume_from, undefined);
    worker.progress(lease, 3);
    worker.succeed(lease, trained);
    assert.deepEqual(await output, { kind: trained });
    assert.deepEqual(
      events.map(({ $case }) => $case),
      ["train_progress"],
    );
    worker.die();
  });

  it("gives tasks to idle workers in the order of submission", async () => {
    const tasks = ["first", "second", "third"].map((id) => submit(id));
    const workers = [attachWorker(bench.address), attachWorker(bench.address)];
    const leases = await Promise.all(workers.map((worker) => worker.next("lease")));
    assert.deepEqual(leases.map(({ task_attempt }) => task_attempt?.task_id).sort(), ["first", "second"]);
    workers[1]?.succeed(leases[1]!, trained);
    assert.equal((await workers[1]?.next("lease"))?.task_attempt?.task_id, "third");
    assert.deepEqual(
      bench.pool.list().map(({ running_task_id }) => running_task_id !== ""),
      [true, true],
    );
    for (const { abort } of tasks) abort.abort();
  });

  it("refuses a worker of another version", async () => {
    const worker = attachWorker(bench.address, { version: "0.0.0", name: "old" });
    const error = await worker.ended;
    assert.match(error?.details ?? "", /old has version 0\.0\.0/);
    assert.deepEqual(bench.pool.list(), []);
  });

  it("gives a worker that drains nothing more, and lets it finish", async () => {
    const first = submit("first");
    const worker = attachWorker(bench.address);
    const { worker_id } = await worker.next("welcome");
    const lease = await worker.next("lease");
    const second = submit("second");
    assert.equal(bench.pool.drain(worker_id).draining, true);
    await worker.next("drain");
    worker.succeed(lease, trained);
    await first.output;
    assert.deepEqual(
      bench.pool.list().map(({ running_task_id, draining }) => [running_task_id, draining]),
      [["", true]],
    );
    const other = attachWorker(bench.address);
    other.succeed(await other.next("lease"), trained);
    await second.output;
    assert.throws(() => bench.pool.drain("worker-99"), { reason: "WORKER_NOT_FOUND", message: /worker-99/ });
  });

  it("does not lease to a worker that cannot build the detector", async () => {
    const { output } = submit("t");
    const bare = attachWorker(bench.address, { families: [] });
    await bare.next("welcome");
    const able = attachWorker(bench.address);
    able.succeed(await able.next("lease"), trained);
    await output;
  });

  it("leases a task again when its worker leaves, from the checkpoint", async () => {
    const { output, events } = submit("t");
    const first = attachWorker(bench.address);
    const lease = await first.next("lease");
    const checkpoint = await bench.artifacts.put(Buffer.from("checkpoint 5"));
    first.saveCheckpoint(lease, 5, checkpoint);
    first.progress(lease, 5);
    await until(() => events.some(({ $case }) => $case === "train_progress"));
    first.leave();

    const second = attachWorker(bench.address);
    const again = await second.next("lease");
    assert.deepEqual(again.task_attempt, { task_id: "t", attempt: 2 });
    assert.deepEqual(again.resume_from, checkpoint);
    second.succeed(again, trained);
    await output;
    assert.equal(await bench.artifacts.stat(checkpoint.sha256), undefined, "the checkpoint of a finished task is kept");
    assert.match(JSON.stringify(events), /Attempt 1 ended/);
  });

  for (const [how, isCut] of [
    ["whose stream is there", false],
    ["whose stream was cut", true],
  ] as const)
    it(`leases a task again when nothing is heard for three heartbeats of its worker, ${how}`, async () => {
      const silent = await openWorkbench({ heartbeatSeconds: 0.05 });
      try {
        const request = { taskId: "t", task: train, imageRoot: "" };
        const output = silent.pool.tasks.submit(request, () => {}, new AbortController().signal);
        const first = attachWorker(silent.address);
        await first.next("lease");
        if (isCut) first.die();
        const second = attachWorker(silent.address);
        const beat = setInterval(() => second.send({ $case: "heartbeat", value: {} }), 5);
        const lease = await second.next("lease").finally(() => clearInterval(beat));
        assert.deepEqual(lease.task_attempt, { task_id: "t", attempt: 2 });
        second.succeed(lease, trained);
        await output;
      } finally {
        await silent.close();
      }
    });

  it("knows a worker that attaches again after its stream broke, and its task goes on", async () => {
    const { output, events } = submit("t");
    const first = attachWorker(bench.address, { instance: "one" });
    const lease = await first.next("lease");
    first.die();
    const held = [{ task_attempt: lease.task_attempt, shards: [] }];
    const again = attachWorker(bench.address, { instance: "one", held });
    await again.next("welcome");
    assert.equal(bench.pool.list().length, 1);
    again.succeed(lease, trained);
    assert.deepEqual((await again.next("result_received")).task_attempt, lease.task_attempt);
    assert.deepEqual(await output, { kind: trained });
    assert.deepEqual(events, []);
  });

  it("closes the old stream when a worker attaches again before the controller has noticed that it is dead", async () => {
    submit("t");
    const first = attachWorker(bench.address, { instance: "one" });
    const lease = await first.next("lease");
    const held = [{ task_attempt: lease.task_attempt, shards: [] }];
    const again = attachWorker(bench.address, { instance: "one", held });
    await again.next("welcome");
    await first.ended;
    assert.equal(bench.pool.list()[0]?.running_task_id, "t");
  });

  it("leases a task again whose worker comes back without it", async () => {
    const { events } = submit("t");
    const first = attachWorker(bench.address, { instance: "one" });
    await first.next("lease");
    first.die();
    const again = await attachWorker(bench.address, { instance: "one" }).next("lease");
    assert.equal(again.task_attempt?.attempt, 2);
    assert.match(JSON.stringify(events), /came back without it/);
  });

  it("takes what a worker of the last controller is at as the attempt that counts", async () => {
    bench.state.nextAttempt("t");
    const held = [{ task_attempt: { task_id: "t", attempt: 1 }, shards: [] }];
    const worker = attachWorker(bench.address, { held });
    await worker.next("welcome");
    const lease = { task_attempt: held[0]?.task_attempt } as Lease;
    worker.succeed(lease, trained); // Nobody has submitted it: the result is not received yet.
    const other = { task_attempt: { task_id: "other", attempt: 1 } } as Lease;
    worker.succeed(other, trained);
    assert.deepEqual((await worker.next("result_received")).task_attempt, other.task_attempt);
    const { output, events } = submit("t");
    await until(() => bench.pool.tasks.find(lease.task_attempt) !== undefined);
    worker.progress(lease, 3);
    worker.succeed(lease, trained);
    assert.deepEqual(await output, { kind: trained });
    assert.equal(events.length, 1);
    assert.equal(bench.state.latestAttempt("t"), 1);
  });

  it("waits for the workers of the last controller before it leases their training anew", async () => {
    const later = await openWorkbench({ succeeds: true });
    try {
      for (const taskId of ["old", "new"]) {
        if (taskId === "old") later.state.nextAttempt(taskId);
        const request = { taskId, task: train, imageRoot: "" };
        later.pool.tasks.submit(request, () => {}, new AbortController().signal).catch(() => {});
      }
      const lease = await attachWorker(later.address).next("lease");
      assert.equal(lease.task_attempt?.task_id, "new");
    } finally {
      await later.close();
    }
  });

  it("cancels what a worker brings that is no longer its own", async () => {
    submit("t");
    await attachWorker(bench.address).next("lease");
    bench.state.nextAttempt("t");
    for (const attempt of [2, 3]) {
      const held = [{ task_attempt: { task_id: "t", attempt }, shards: [] }];
      assert.deepEqual((await attachWorker(bench.address, { held }).next("cancel")).task_attempt?.attempt, attempt);
    }
  });

  it("gives a task that is handed back to another worker, which is no failed attempt", async () => {
    const { output, events } = submit("t");
    for (let attempt = 1; attempt <= 4; attempt++) {
      const worker = attachWorker(bench.address);
      const lease = await worker.next("lease");
      worker.send({ $case: "leaving", value: {} });
      worker.handBack(lease);
      await worker.next("result_received");
      worker.leave();
    }
    const worker = attachWorker(bench.address);
    worker.succeed(await worker.next("lease"), trained);
    await output;
    assert.deepEqual(events, []);
  });

  it("leases nothing to a worker that is leaving", async () => {
    const leaving = attachWorker(bench.address);
    await leaving.next("welcome");
    leaving.send({ $case: "leaving", value: {} });
    const staying = attachWorker(bench.address);
    await staying.next("welcome");
    const { output } = submit("t");
    staying.succeed(await staying.next("lease"), trained);
    await output;
  });

  it("keeps the latest checkpoint only", async () => {
    submit("t");
    const worker = attachWorker(bench.address);
    const lease = await worker.next("lease");
    const [older, newer] = [await bench.artifacts.put(Buffer.from("5")), await bench.artifacts.put(Buffer.from("10"))];
    worker.saveCheckpoint(lease, 5, older);
    worker.saveCheckpoint(lease, 10, newer);
    await until(async () => (await bench.artifacts.stat(older.sha256)) === undefined);
    assert.deepEqual(bench.state.checkpointOf("t"), { iteration: 10, checkpoint: newer });
    assert.notEqual(await bench.artifacts.stat(newer.sha256), undefined);
  });

  it("starts afresh when the checkpoint's and the shards' artifacts are gone", async () => {
    bench.state.nextAttempt("t");
    bench.state.saveCheckpoint("t", { iteration: 5, checkpoint: weights });
    bench.state.addShard("p", { shard: 0, image_count: 1, box_count: 0, sha256: weights.sha256 });
    submit("t");
    submit("p", predict, 1);
    const leases = [await attachWorker(bench.address).next("lease"), await attachWorker(bench.address).next("lease")];
    assert.deepEqual(
      leases.map(({ task_attempt, resume_from, shards }) => [task_attempt?.task_id, resume_from, shards]),
      [
        ["t", undefined, []],
        ["p", undefined, [0]],
      ],
    );
  });

  it("drops events and results of a stale attempt", async () => {
    const silent = await openWorkbench({ heartbeatSeconds: 0.05 });
    try {
      const events: string[] = [];
      const listen = (event: TaskNews): number => events.push(event.$case);
      const request = { taskId: "t", task: train, imageRoot: "" };
      const output = silent.pool.tasks.submit(request, listen, new AbortController().signal);
      const stale = attachWorker(silent.address);
      const old = await stale.next("lease");
      await stale.ended;
      const worker = attachWorker(silent.address);
      const beat = setInterval(() => worker.send({ $case: "heartbeat", value: {} }), 5);
      const lease = await worker.next("lease");
      worker.progress(old, 1);
      worker.saveCheckpoint(old, 1, weights);
      worker.succeed(old, { $case: "export", value: { onnx: undefined } });
      worker.succeed(lease, trained);
      assert.deepEqual(await output, { kind: trained });
      assert.deepEqual(
        events.filter((event) => event !== "task_waiting"),
        ["log"],
      );
      clearInterval(beat);
    } finally {
      await silent.close();
    }
  });

  it("gives up after three attempts that came to the same point", async () => {
    const { output } = submit("t");
    for (let attempt = 1; attempt <= 3; attempt++) {
      const worker = attachWorker(bench.address);
      await worker.next("lease");
      worker.leave();
    }
    await failsWith(output, "WORKER_FAILED", /3 attempts/);
  });

  it("goes on beyond three attempts while each makes progress", async () => {
    const { output, events } = submit("t");
    for (let attempt = 1; attempt <= 5; attempt++) {
      const worker = attachWorker(bench.address);
      const lease = await worker.next("lease");
      worker.saveCheckpoint(lease, attempt, await bench.artifacts.put(Buffer.from(`${attempt}`)));
      await until(() => events.filter(({ $case }) => $case === "checkpoint_saved").length === attempt);
      worker.leave();
    }
    const worker = attachWorker(bench.address);
    worker.succeed(await worker.next("lease"), trained);
    await output;
  });

  it("fails the task with the worker's error, without another attempt", async () => {
    const { output } = submit("t");
    const worker = attachWorker(bench.address);
    worker.fail(await worker.next("lease"), "TRAINING_DIVERGED", "loss is nan");
    await failsWith(output, "TRAINING_DIVERGED", /loss is nan/);
  });

  it("tries again when the worker could not reach something", async () => {
    const { output } = submit("t");
    const worker = attachWorker(bench.address);
    worker.fail(await worker.next("lease"), "CONTROLLER_UNREACHABLE", "cut");
    const again = await worker.next("lease");
    assert.equal(again.task_attempt?.attempt, 2);
    worker.succeed(again, trained);
    await output;
  });

  it("cancels: tells the worker, rejects at once, and keeps the worker busy until it answers", async () => {
    const cancelled = submit("t");
    const worker = attachWorker(bench.address);
    const lease = await worker.next("lease");
    cancelled.abort.abort();
    await failsWith(cancelled.output, "CANCELLED", /cancelled/);
    assert.deepEqual((await worker.next("cancel")).task_attempt, lease.task_attempt);
    const next = submit("u");
    assert.equal(bench.pool.list()[0]?.running_task_id, "t");
    worker.fail(lease, "CANCELLED", "cancelled");
    worker.succeed(await worker.next("lease"), trained);
    await next.output;
  });

  it("shares one execution between two submissions, and cancels it when both have aborted", async () => {
    const [a, b] = [submit("t"), submit("t")];
    const worker = attachWorker(bench.address);
    const lease = await worker.next("lease");
    worker.progress(lease, 1);
    await until(() => a.events.length === 1 && b.events.length === 1);
    a.abort.abort();
    await failsWith(a.output, "CANCELLED", /cancelled/);
    worker.succeed(lease, trained);
    assert.deepEqual(await b.output, { kind: trained });

    const [c, d] = [submit("v"), submit("v")];
    await worker.next("lease");
    c.abort.abort();
    d.abort.abort();
    await worker.next("cancel");
  });

  it("fails what waits when no worker will come any more", async () => {
    const { output } = submit("t");
    bench.pool.giveUp(new CasslError("WORKER_INCOMPLETE", "torch is missing", ""));
    await failsWith(output, "WORKER_INCOMPLETE", /torch/);
    await failsWith(submit("u").output, "WORKER_INCOMPLETE", /torch/);
    const worker = attachWorker(bench.address);
    await worker.next("welcome");
    const { output: later } = submit("v");
    worker.succeed(await worker.next("lease"), trained);
    await later;
  });

  it("leases prediction and export tasks as well", async () => {
    submit("p", predict, 1);
    submit("e", { kind: { $case: "export", value: ExportTask.fromPartial({ detector }) } });
    const kinds = await Promise.all([1, 2].map(() => attachWorker(bench.address).next("lease")));
    assert.deepEqual(kinds.map(({ task }) => task?.kind?.$case).sort(), ["export", "predict"]);
  });
});

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 2));
}
