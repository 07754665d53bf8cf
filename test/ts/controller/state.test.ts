import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { openDatabase } from "../../../ts/controller/sqlite.js";
import { openState, type StateStore } from "../../../ts/controller/state.js";
import { ErrorReason } from "../../../ts/gen/cassl/v1/error_reason.js";
import { type Run, RunConfig, type RunEvent, State } from "../../../ts/gen/cassl/v1/run.js";
import { makeFolder } from "./workbench.js";

describe("state", () => {
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

  const reopen = (): void => {
    state.close();
    state = openState(join(folder, "state.db"));
  };

  const run = (run_id: string): Run => ({
    run_id,
    state: State.FAILED,
    config: RunConfig.fromPartial({ name: "n", arms: ["supervised"], data: { labeled: { take: 3 } } }),
    config_hash: "h",
    overridden_gates: [],
    created_at: new Date(1000),
    finished_at: new Date(2500),
    error: { reason: ErrorReason.GATE_FAILED, message: "m", remedy: "r", trace: "" },
    result: undefined,
    priority: 2,
    queue_position: undefined,
    waiting_tasks: [],
  });

  it("keeps runs, newest first, over a restart", () => {
    state.saveRun(run("a"));
    state.saveRun(run("b"));
    state.saveRun({ ...run("a"), state: State.SUCCEEDED });
    reopen();
    assert.deepEqual(
      state.listRuns().map(({ run: kept }) => [kept.run_id, kept.state]),
      [
        ["b", State.FAILED],
        ["a", State.SUCCEEDED],
      ],
    );
    assert.deepEqual(state.findRun("b"), run("b"));
    assert.equal(state.findRun("c"), undefined);
  });

  it("numbers the events of each run and gives them back from any number on", () => {
    const progress: RunEvent["event"] = {
      $case: "step_progress",
      value: {
        step: "supervised/finetune",
        key: "k",
        progress: {
          $case: "train",
          value: {
            iteration: 1,
            total_iterations: 2,
            losses: { total: 0.5 },
            learning_rate: 1e-3,
            images_per_second: 9,
            images_per_batch: 4,
            processes: 1,
          },
        },
      },
    };
    const at = new Date(5);
    assert.equal(state.appendEvent("a", at, progress).sequence, 1);
    assert.equal(state.appendEvent("b", at, progress).sequence, 1);
    assert.equal(state.appendEvent("a", at, progress).sequence, 2);
    reopen();
    assert.equal(state.appendEvent("a", at, progress).sequence, 3);
    assert.deepEqual(state.eventsAfter("a", 1, 10), [
      { sequence: 2, at, event: progress },
      { sequence: 3, at, event: progress },
    ]);
    assert.deepEqual(
      state.eventsAfter("a", 0, 1).map(({ sequence }) => sequence),
      [1],
    );
    assert.deepEqual(state.progressOf("k"), [progress.value, progress.value, progress.value, progress.value]);
    assert.deepEqual(state.progressOf("other"), []);
  });

  it("keeps steps", () => {
    const step = { key: "k", name: "curate", output: '{"a":1}', seconds: 1.5 };
    state.saveStep(step);
    reopen();
    assert.deepEqual({ ...state.findStep("k") }, step);
    assert.equal(state.findStep("other"), undefined);
  });

  it("counts attempts over restarts and keeps a checkpoint for each task", () => {
    const checkpoint = { iteration: 5, checkpoint: { sha256: "c", size_bytes: 3 } };
    assert.equal(state.nextAttempt("t"), 1);
    state.saveCheckpoint("t", checkpoint);
    reopen();
    assert.equal(state.nextAttempt("t"), 2);
    assert.deepEqual(state.checkpointOf("t"), checkpoint);
    assert.equal(state.isCheckpoint("c"), true);
    state.saveCheckpoint("t", undefined);
    assert.equal(state.checkpointOf("t"), undefined);
    assert.equal(state.isCheckpoint("c"), false);
  });

  it("keeps each shard once, in order", () => {
    const shard = (number: number, sha256: string) => ({ shard: number, image_count: 2, box_count: 3, sha256 });
    state.addShard("t", shard(1, "b"));
    state.addShard("t", shard(0, "a"));
    state.addShard("t", shard(1, "other"));
    assert.deepEqual(state.shardsOf("t"), [shard(0, "a"), shard(1, "b")]);
    assert.deepEqual(state.findShard("t", 1), shard(1, "b"));
    state.removeShard("t", 1);
    assert.deepEqual(state.shardsOf("t"), [shard(0, "a")]);
  });

  it("undoes a transaction that fails", () => {
    const failing = (): void =>
      state.transaction(() => {
        state.saveRun(run("a"));
        throw new Error("stop");
      });
    assert.throws(failing, /stop/);
    assert.equal(state.findRun("a"), undefined);
  });

  it("refuses the state of a newer version", () => {
    state.close();
    const database = openDatabase(join(folder, "state.db"));
    database.exec("PRAGMA user_version = 99");
    database.close();
    assert.throws(() => openState(join(folder, "state.db")), { reason: "VERSION_MISMATCH", message: /version 99/ });
    state = openState(join(folder, "other.db"));
  });

  it("refuses a file that is no database", async () => {
    await writeFile(join(folder, "text.db"), "this is no database, whatever its name says".repeat(50));
    assert.throws(() => openState(join(folder, "text.db")), { reason: "STORAGE_FAILED", message: /text\.db/ });
  });

  it("fails with STORAGE_FAILED on a full disk and goes on when there is space", async function () {
    const small = join(folder, "small");
    await mkdir(small);
    try {
      execFileSync("mount", ["-t", "tmpfs", "-o", "size=512k", "tmpfs", small], { stdio: "pipe" });
    } catch {
      console.log("skipped: a small file system cannot be mounted here");
      this.skip();
    }
    const onSmall = openState(join(small, "state.db"));
    try {
      const log: RunEvent["event"] = { $case: "log", value: { level: "info", text: "x".repeat(10_000) } };
      const fill = (): void => {
        for (let count = 0; count < 1000; count++) onSmall.appendEvent("a", new Date(), log);
      };
      assert.throws(fill, { reason: "STORAGE_FAILED" });
      const kept = onSmall.eventsAfter("a", 0, 1000).length;
      execFileSync("mount", ["-o", "remount,size=4m", small]);
      assert.equal(onSmall.appendEvent("a", new Date(), log).sequence, kept + 1);
    } finally {
      onSmall.close();
      execFileSync("umount", ["-l", small]);
    }
  });
});
