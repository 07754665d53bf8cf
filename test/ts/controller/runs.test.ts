import assert from "node:assert/strict";
import { once } from "node:events";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { createRunLog } from "../../../ts/controller/run-log.js";
import { createRuns, type ExecuteRun, type Runs } from "../../../ts/controller/runs.js";
import { openState, type StateStore } from "../../../ts/controller/state.js";
import { CasslError } from "../../../ts/core/errors.js";
import { ErrorReason } from "../../../ts/gen/cassl/v1/error_reason.js";
import { type RunConfig, type RunEvent, State } from "../../../ts/gen/cassl/v1/run.js";
import { parseConfig } from "../../../ts/pipeline/config.js";
import { makeFolder } from "./workbench.js";

const config = (changes: object = {}): RunConfig =>
  parseConfig({
    name: "test",
    arms: ["supervised"],
    data: {
      labeled: { annotations: "/data/train.json", images: "/data" },
      validation: { annotations: "/data/val.json", images: "/data" },
    },
    ...changes,
  });

const result = { sha256: "d".repeat(64), size_bytes: 2 };
const log = (text: string) => ({ $case: "log", value: { level: "info", text } }) as const;
const succeed: ExecuteRun = async () => ({ finishedAt: new Date(7000), result });
/** Runs until it is aborted. */
const wait: ExecuteRun = async (_run, _config, _emit, signal) => {
  if (!signal.aborted) await once(signal, "abort");
  throw signal.reason;
};

describe("runs", () => {
  let folder: string;
  let state: StateStore;

  beforeEach(async () => {
    folder = await makeFolder();
    state = openState(join(folder, "state.db"));
  });
  afterEach(async () => {
    state.close();
    await rm(folder, { recursive: true });
  });

  const open = (execute: ExecuteRun, atOnce = 1): Runs => createRuns(createRunLog(state), execute, { atOnce });

  const watch = async (runs: Runs, runId: string, after = 0): Promise<RunEvent[]> => {
    const events = [];
    for await (const event of runs.watch(runId, after, new AbortController().signal)) events.push(event);
    return events;
  };

  const states = (events: RunEvent[]): State[] =>
    events.flatMap(({ event }) => (event?.$case === "state_changed" ? [event.value.state] : []));

  it("executes a run and keeps its result", async () => {
    const runs = open(succeed);
    assert.equal(runs.create("a", config()).state, State.PENDING);
    assert.deepEqual(states(await watch(runs, "a")), [State.PENDING, State.RUNNING, State.SUCCEEDED]);
    const run = runs.get("a");
    assert.deepEqual([run.state, run.result, run.finished_at], [State.SUCCEEDED, result, new Date(7000)]);
  });

  it("takes the same id with the same configuration as the same run, and refuses another", async () => {
    let executions = 0;
    const runs = open(async () => {
      executions++;
      return { finishedAt: new Date(), result };
    });
    runs.create("a", config());
    await watch(runs, "a");
    assert.equal(runs.create("a", config()).state, State.SUCCEEDED);
    assert.throws(() => runs.create("a", config({ seed: 5 })), { reason: "RUN_EXISTS", message: /`a`/ });
    assert.equal(executions, 1);
    assert.equal(runs.list().length, 1);
  });

  it("takes any word for an id, and tells of every change of a run", async () => {
    const runs = open(async (_run, _config, emit) => {
      emit(log("working"));
      return { finishedAt: new Date(), result };
    });
    const changed: string[] = [];
    runs.onChange((runId) => changed.push(runId));
    for (const id of ["error", "any"]) {
      runs.create(id, config());
      assert.equal((await watch(runs, id)).length, 4);
    }
    assert.deepEqual(changed, [...Array(4).fill("error"), ...Array(4).fill("any")]);
  });

  it("checks configuration, paths and id", () => {
    const runs = open(succeed);
    assert.throws(() => runs.create("a", undefined), { reason: "CONFIG_INVALID" });
    assert.throws(() => runs.create("a", { ...config(), seed: -1 }), { reason: "CONFIG_INVALID", message: /seed/ });
    const { data } = config();
    const relative = { ...config(), data: { ...data, validation: { annotations: "val.json", images: "/data" } } };
    assert.throws(() => runs.create("a", relative as RunConfig), { reason: "CONFIG_INVALID", message: /val\.json/ });
    for (const id of ["", "..", "a/b", ".hidden", "x".repeat(129)]) {
      assert.throws(() => runs.create(id, config()), { reason: "CONFIG_INVALID", message: /run id/ });
    }
    assert.deepEqual(runs.list(), []);
  });

  it("executes runs one after the other, in order", async () => {
    const log: string[] = [];
    const runs = open(async ({ run_id }) => {
      log.push(`start ${run_id}`);
      await new Promise(setImmediate);
      log.push(`end ${run_id}`);
      return { finishedAt: new Date(), result };
    });
    for (const id of ["a", "b", "c"]) runs.create(id, config());
    await watch(runs, "c");
    assert.deepEqual(log, ["start a", "end a", "start b", "end b", "start c", "end c"]);
    assert.deepEqual(
      runs.list().map(({ run }) => run.run_id),
      ["c", "b", "a"],
    );
  });

  it("executes as many at once as it may, the others by priority and then in their order", async () => {
    const started: string[] = [];
    const ends = new Map<string, () => void>();
    const runs = open(async ({ run_id }) => {
      started.push(run_id);
      await new Promise<void>((resolve) => ends.set(run_id, resolve));
      return { finishedAt: new Date(), result };
    }, 2);
    for (const [id, priority] of Object.entries({ a: 0, b: 0, c: 0, d: 0, e: 7 })) runs.create(id, config(), priority);
    await new Promise((resolve) => setTimeout(resolve, 5));
    assert.deepEqual(started, ["e", "a"]);
    assert.deepEqual(
      runs
        .list()
        .map(({ run: { run_id, state, priority, queue_position } }) => [run_id, state, priority, queue_position]),
      [
        ["e", State.RUNNING, 7, undefined],
        ["d", State.PENDING, 0, 3],
        ["c", State.PENDING, 0, 2],
        ["b", State.PENDING, 0, 1],
        ["a", State.RUNNING, 0, undefined],
      ],
    );
    runs.cancel("b");
    assert.equal(runs.get("c").queue_position, 1);
    for (const id of ["a", "e", "c", "d"]) {
      ends.get(id)?.();
      await watch(runs, id);
      await new Promise(setImmediate);
    }
    assert.deepEqual(started, ["e", "a", "c", "d"]);
  });

  it("lets runs that were under way keep their places over a restart, and queues those for which there is none", async () => {
    const first = open(wait, 3);
    for (const id of ["a", "b", "c", "d"]) first.create(id, config(), id === "d" ? 5 : 0);
    await new Promise((resolve) => setTimeout(resolve, 5));
    await first.stop();
    const second = open(wait, 2);
    second.recover("resume");
    await new Promise((resolve) => setTimeout(resolve, 5));
    const found = ["a", "b", "c", "d"].map((id) => [id, second.get(id).state, second.get(id).queue_position]);
    await second.stop();
    assert.deepEqual(found, [
      ["a", State.RUNNING, undefined],
      ["b", State.PENDING, 1],
      ["c", State.PENDING, 2],
      ["d", State.RUNNING, undefined],
    ]);
  });

  it("replays from any event on, then follows", async () => {
    let finish: () => void = () => {};
    const runs = open(async (_run, _config, emit) => {
      emit(log("one"));
      await new Promise<void>((resolve) => (finish = resolve));
      emit(log("two"));
      return { finishedAt: new Date(), result };
    });
    runs.create("a", config());
    const seen: number[] = [];
    for await (const { sequence, event } of runs.watch("a", 2, new AbortController().signal)) {
      seen.push(sequence);
      if (event?.$case === "log" && event.value.text === "one") finish();
    }
    assert.deepEqual(seen, [3, 4, 5]);
    assert.deepEqual(
      (await watch(runs, "a", 4)).map(({ sequence }) => sequence),
      [5],
    );
    assert.deepEqual(await watch(runs, "a", 5), []);
  });

  it("goes on without gates that have stopped it, and refuses others", async () => {
    const gate = (name: string, passed: boolean, overridden: boolean) =>
      ({
        $case: "gate_checked",
        value: { name, value: 1, limit: 2, passed, scope: "class_agnostic", overridden, reason: "", remedy: "" },
      }) as const;
    const runs = open(async (_run, { gates: { override } }, emit) => {
      const isOverridden = override.includes("min_recall");
      emit(gate("min_precision", true, false));
      emit(gate("min_recall", false, isOverridden));
      if (!isOverridden) throw new CasslError("GATE_FAILED", "too few", "Lower it.");
      return { finishedAt: new Date(), result };
    });
    runs.create("a", config());
    await watch(runs, "a");
    for (const gates of [[], ["min_precision"], ["min_recall", "nothing"]]) {
      assert.throws(() => runs.overrideGates("a", gates), { reason: "GATE_NOT_FAILED" });
    }
    const hash = runs.get("a").config_hash;
    runs.overrideGates("a", ["min_recall"]);
    await watch(runs, "a");
    const { state, overridden_gates, config_hash } = runs.get("a");
    assert.deepEqual([state, overridden_gates, config_hash], [State.SUCCEEDED, ["min_recall"], hash]);
    assert.throws(() => runs.overrideGates("a", ["min_recall"]), { reason: "GATE_NOT_FAILED" });
  });

  it("fails with the reason of what was thrown", async () => {
    const runs = open(async () => {
      throw new CasslError("GATE_FAILED", "too few", "Lower it.");
    });
    runs.create("a", config());
    await watch(runs, "a");
    const { error, state } = runs.get("a");
    assert.deepEqual([state, error?.reason, error?.message], [State.FAILED, ErrorReason.GATE_FAILED, "too few"]);
  });

  it("cancels the run under way, and one that waits without ever starting it", async () => {
    const runs = open(wait);
    runs.create("a", config());
    runs.create("b", config());
    await new Promise(setImmediate);
    assert.equal(runs.cancel("b").state, State.CANCELLED);
    runs.cancel("a");
    assert.deepEqual(states(await watch(runs, "a")), [State.PENDING, State.RUNNING, State.CANCELLED]);
    assert.deepEqual(states(await watch(runs, "b")), [State.PENDING, State.CANCELLED]);
    assert.equal(runs.cancel("a").state, State.CANCELLED);
    assert.throws(() => runs.cancel("c"), { reason: "RUN_NOT_FOUND", message: /`c`/ });
  });

  it("tries a failed or cancelled run again, in the same log", async () => {
    let tries = 0;
    const runs = open(async (run, ...rest) => {
      if (run.run_id === "waits") return wait(run, ...rest);
      if (++tries === 1) throw new CasslError("GATE_FAILED", "too few", "Lower it.");
      return { finishedAt: new Date(7000), result };
    });
    runs.create("a", config());
    await watch(runs, "a");
    const again = runs.retry("a");
    assert.deepEqual([again.state, again.error, again.finished_at], [State.PENDING, undefined, undefined]);
    const events = await watch(runs, "a");
    const { PENDING, RUNNING, FAILED, SUCCEEDED } = State;
    assert.deepEqual(states(events), [PENDING, RUNNING, FAILED, PENDING, RUNNING, SUCCEEDED]);
    assert.throws(() => runs.retry("a"), { reason: "RUN_FINISHED", message: /`a`/ });
    assert.throws(() => runs.retry("b"), { reason: "RUN_NOT_FOUND" });

    runs.create("waits", config());
    await new Promise(setImmediate);
    assert.equal(runs.retry("waits").state, RUNNING);
    runs.cancel("waits");
    await watch(runs, "waits");
    assert.equal(runs.retry("waits").state, PENDING);
    await runs.stop();
  });

  it("does not wait for a watcher that does not read", async () => {
    const runs = open(async (_run, _config, emit) => {
      for (let line = 0; line < 3000; line++) emit(log(String(line)));
      return { finishedAt: new Date(), result };
    });
    runs.create("a", config());
    const lazy = runs.watch("a", 0, new AbortController().signal)[Symbol.asyncIterator]();
    assert.equal((await lazy.next()).value?.sequence, 1);
    await watch(runs, "a");
    assert.equal(runs.get("a").state, State.SUCCEEDED);
    let last = 1;
    for (let next = await lazy.next(); next.done !== true; next = await lazy.next()) {
      assert.equal(next.value.sequence, ++last);
    }
    assert.equal(last, 3003);
  });

  it("leaves a run that was under way when the controller stopped for the next one, which resumes it", async () => {
    const first = open(wait);
    first.create("a", config());
    first.create("b", config());
    await new Promise(setImmediate);
    await first.stop();
    assert.deepEqual([first.get("a").state, first.get("b").state], [State.RUNNING, State.PENDING]);

    const order: string[] = [];
    const second = open(async ({ run_id }) => {
      order.push(run_id);
      return { finishedAt: new Date(), result };
    });
    second.recover("resume");
    assert.deepEqual(states(await watch(second, "b")), [State.PENDING, State.RUNNING, State.SUCCEEDED]);
    assert.equal(second.get("a").state, State.SUCCEEDED);
    assert.deepEqual(order, ["a", "b"]);
  });

  it("or fails it as interrupted", async () => {
    const first = open(wait);
    first.create("a", config());
    await new Promise(setImmediate);
    await first.stop();
    const second = open(succeed);
    second.recover("fail");
    const { state, error } = second.get("a");
    assert.deepEqual([state, error?.reason], [State.FAILED, ErrorReason.INTERRUPTED]);
    assert.deepEqual(states(await watch(second, "a")), [State.PENDING, State.RUNNING, State.FAILED]);
  });

  it("stops a run whose events cannot be stored, and tells why although that cannot be stored either", async () => {
    const appendEvent = state.appendEvent;
    let full = false;
    const onFullDisk: StateStore = {
      ...state,
      appendEvent(...event) {
        if (full) throw new CasslError("STORAGE_FAILED", "disk full", "");
        return appendEvent(...event);
      },
    };
    const fillThenWait: ExecuteRun = async (run, config, emit, signal) => {
      full = true;
      emit(log("lost"));
      return wait(run, config, emit, signal);
    };
    const runs = createRuns(createRunLog(onFullDisk), fillThenWait, { atOnce: 1 });
    runs.create("a", config());
    const events = await watch(runs, "a");
    assert.deepEqual(states(events), [State.PENDING, State.RUNNING, State.FAILED]);
    assert.equal(runs.get("a").error?.reason, ErrorReason.STORAGE_FAILED);
    assert.equal(runs.list()[0]?.run.state, State.FAILED);
  });

  it("stops watching when the watcher leaves, and the run goes on", async () => {
    const runs = open(wait);
    runs.create("a", config());
    const leaving = new AbortController();
    const watching = (async () => {
      for await (const { event } of runs.watch("a", 0, leaving.signal)) {
        if (event?.$case === "state_changed" && event.value.state === State.RUNNING) leaving.abort();
      }
    })();
    await assert.rejects(watching, { name: "AbortError" });
    assert.equal(runs.get("a").state, State.RUNNING);
    await runs.stop();
  });
});
