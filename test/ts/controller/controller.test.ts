import assert from "node:assert/strict";
import { readdir, readFile, rm, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:net";
import { join } from "node:path";
import { CasslClient } from "../../../ts/client/client.js";
import { type Controller, type ControllerOptions, startController } from "../../../ts/controller/controller.js";
import { type RunConfig, type RunEvent, State, WaitReason } from "../../../ts/gen/cassl/v1/run.js";
import type { RunResult } from "../../../ts/pipeline/pipeline.js";
import type { ReportJson } from "../../../ts/report/report.js";
import { makeCellsProject, workOn } from "./cells-project.js";
import { makeFolder } from "./workbench.js";

describe("controller", () => {
  let folder: string;
  let workspace: string;
  let controller: Controller | undefined;

  beforeEach(async () => {
    folder = await makeFolder();
    workspace = join(folder, ".cassl");
  });
  afterEach(async () => {
    await controller?.stop();
    controller = undefined;
    await rm(folder, { recursive: true });
  });

  const start = async (options: Partial<ControllerOptions> = {}): Promise<Controller> => {
    const defaults = { workspace, host: "127.0.0.1", port: 0, childWorkers: 0, recover: "fail" } as const;
    controller = await startController({ ...defaults, ...options });
    return controller;
  };

  it("names a port that is taken, and leaves the workspace free", async () => {
    const server = await new Promise<Server>((resolve) => {
      const listening = createServer().listen(0, "127.0.0.1", () => resolve(listening));
    });
    const { port } = server.address() as { port: number };
    await assert.rejects(start({ port }), {
      reason: "ADDRESS_UNAVAILABLE",
      message: new RegExp(`127\\.0\\.0\\.1:${port}`),
    });
    server.close();
    await start();
  });

  it("refuses addresses that other machines reach", async () => {
    await assert.rejects(start({ host: "0.0.0.0" }), { reason: "CONFIG_INVALID", message: /0\.0\.0\.0.*--tls-cert/ });
  });

  it("refuses a workspace that another controller has", async () => {
    await start();
    await assert.rejects(startController({ workspace, host: "127.0.0.1", port: 0, childWorkers: 0, recover: "fail" }), {
      reason: "WORKSPACE_LOCKED",
      message: new RegExp(`process ${process.pid}`),
    });
  });

  it("refuses a workspace that cannot be made", async () => {
    await writeFile(workspace, "a file where the folder would be");
    await assert.rejects(start(), { reason: "STORAGE_FAILED", message: /\.cassl/ });
  });

  describe("with a project", () => {
    let config: RunConfig;
    let client: CasslClient;

    beforeEach(async () => {
      config = await makeCellsProject(folder);
      client = new CasslClient((await start({ heartbeatSeconds: 0.2 })).address);
    });
    afterEach(() => client.close());

    const follow = async (runId: string): Promise<RunEvent[]> => {
      const events = [];
      for await (const event of client.watchRun(runId)) events.push(event);
      return events;
    };
    const waitFor = async (runId: string, matches: (event: RunEvent) => boolean): Promise<RunEvent> => {
      for await (const event of client.watchRun(runId)) if (matches(event)) return event;
      return assert.fail("the run ended before");
    };
    const until = async <T>(look: () => Promise<T | undefined>): Promise<T> => {
      for (;;) {
        const found = await look();
        if (found !== undefined) return found;
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    };
    const succeed = async (runId: string): Promise<RunResult> => {
      await client.createRun(runId, config);
      await follow(runId);
      const { state, error } = await client.getRun(runId);
      assert.equal(state, State.SUCCEEDED, error?.message);
      return JSON.parse(await readFile(join(workspace, "runs", runId, "result.json"), "utf8"));
    };

    it("runs both arms and writes result, configuration and report", async () => {
      void workOn(controller?.address ?? "");
      const result = await succeed("first");
      assert.deepEqual(
        result.arms.map(({ arm, ap }) => [arm, Math.round(100 * ap) / 100]),
        [
          ["supervised", 1],
          ["class_agnostic", 1],
        ],
      );
      assert.deepEqual((await readdir(join(workspace, "runs", "first"))).sort(), [
        "config.json",
        "report.html",
        "report.json",
        "report.md",
        "result.json",
      ]);
      const report = await readFile(join(workspace, "runs", "first", "report.html"), "utf8");
      assert.match(report, /Pseudo labels of class_agnostic on unlabeled images[\s\S]*\.png/);
      assert.match(report, /supervised: .*val-1\.png[\s\S]*class_agnostic: .*val-1\.png/);
      const data = JSON.parse(await readFile(join(workspace, "runs", "first", "report.json"), "utf8")) as ReportJson;
      assert.deepEqual(data.result, result);
      assert.deepEqual(
        data.differences.map(({ arm, baseline, interval }) => [arm, baseline, interval]),
        [["class_agnostic", "supervised", [0, 0]]],
      );
      assert.deepEqual([data.certificates.length, data.evaluations.length], [2, 2]);
      assert.deepEqual(data.environment.workers[0]?.versions, { python: "3.11.2" });
      const { result: ref } = await client.getRun("first");
      assert.deepEqual(JSON.parse(Buffer.from(await client.getArtifact(ref?.sha256 ?? "")).toString()), result);
    });

    it("reuses every step of an equal run, also after a restart, without a worker", async () => {
      void workOn(controller?.address ?? "");
      const first = await succeed("first");
      client.close();
      await controller?.stop();
      client = new CasslClient((await start()).address);
      const second = await succeed("second");
      assert.ok(second.steps.every(({ reused }) => reused));
      assert.deepEqual(second.arms, first.arms);
    });

    it("does what two runs have in common once, and goes on with it when one of them is cancelled", async () => {
      config = { ...config, arms: ["supervised"] };
      let begin: () => void = () => {};
      const begun = new Promise<void>((resolve) => {
        begin = resolve;
      });
      const leased: string[] = [];
      let release: () => void = () => {};
      const mayWork = new Promise<void>((resolve) => {
        release = resolve;
      });
      for (const id of ["first", "second"]) await client.createRun(id, config);
      void workOn(controller?.address ?? "", async ({ task_attempt, task }) => {
        leased.push(`${task_attempt?.task_id} ${task?.kind?.$case}`);
        begin();
        await mayWork;
      });
      await begun;
      const steps = await until(async () => {
        const [worker] = await client.listWorkers();
        const found = worker?.running_task?.steps ?? [];
        return found.length === 2 ? found : undefined;
      });
      assert.deepEqual(steps.map(({ run_id, step }) => [run_id, step]).sort(), [
        ["first", "supervised/finetune"],
        ["second", "supervised/finetune"],
      ]);
      await client.cancelRun("first");
      await follow("first");
      release();
      await follow("second");
      const { state, error } = await client.getRun("second");
      assert.equal(state, State.SUCCEEDED, error?.message);
      assert.equal(new Set(leased).size, leased.length, "a task was given to a worker twice");
    });

    it("shares the workers between runs, so that a short one need not wait for the end of a long one", async () => {
      const order: string[] = [];
      const arms = ["supervised"];
      await client.createRun("first", { ...config, arms });
      await client.createRun("second", { ...config, arms, seed: 1 });
      // A worker that came sooner could do all of the first run before the second has curated its data.
      while ((await client.fleet()).waiting_tasks.length < 2) await new Promise((resolve) => setTimeout(resolve, 5));
      void workOn(controller?.address ?? "", async () => {
        const [worker] = await client.listWorkers();
        order.push(worker?.running_task?.steps[0]?.run_id ?? "");
      });
      await Promise.all([follow("first"), follow("second")]);
      const lastOf = (id: string): number => order.lastIndexOf(id);
      const firstOf = (id: string): number => order.indexOf(id);
      assert.ok(firstOf("second") < lastOf("first") && firstOf("first") < lastOf("second"), order.join(" "));
    });

    it("says which need of a task no worker meets, and goes on when one comes that does", async () => {
      const needs = { device: "cuda", gpu_memory_gb: 20, memory_gb: 0 };
      await client.createRun("first", { ...config, arms: ["supervised"], needs });
      const without = workOn(controller?.address ?? "");
      const told = await waitFor(
        "first",
        ({ event }) => event?.$case === "task_waiting" && /GPU/.test(event.value.message),
      );
      assert.match(JSON.stringify(told.event), /fake lacks a GPU and 20 GB of GPU memory/);
      const [waiting] = (await client.getRun("first")).waiting_tasks;
      assert.deepEqual([waiting?.kind, waiting?.reason], ["train", WaitReason.NEED_UNMET]);
      assert.deepEqual((await client.fleet()).waiting_tasks[0]?.steps, waiting?.steps);
      const gpus = [{ device: "cuda:0", name: "", memory_bytes: 24e9 }];
      void workOn(controller?.address ?? "", undefined, { name: "able", devices: ["cpu", "cuda:0"], gpus });
      await follow("first");
      assert.equal((await client.getRun("first")).state, State.SUCCEEDED);
      await controller?.stop();
      await without;
    });

    it("resumes a run that a stopped controller left, as the same run", async () => {
      const stopping = new Promise<void>((resolve) => void workOn(controller?.address ?? "", () => resolve()));
      await client.createRun("first", config);
      await stopping;
      client.close();
      await controller?.stop();
      client = new CasslClient((await start({ recover: "resume" })).address);
      void workOn(controller?.address ?? "");
      const events = await follow("first");
      assert.deepEqual(
        events.map(({ sequence }) => sequence),
        events.map((_, index) => index + 1),
      );
      assert.equal((await client.getRun("first")).state, State.SUCCEEDED);
    });

    it("stops at a gate that is not passed, before warm-up is paid for", async () => {
      const leased: (string | undefined)[] = [];
      void workOn(controller?.address ?? "", ({ task }) => leased.push(task?.kind?.$case));
      config = {
        ...config,
        arms: ["class_agnostic"],
        gates: { ...(config.gates as NonNullable<RunConfig["gates"]>), min_box_ratio: 3 },
      };
      await client.createRun("first", config);
      await follow("first");
      const { state, error } = await client.getRun("first");
      assert.deepEqual([state, error?.message.includes("below the limit 3")], [State.FAILED, true]);
      assert.deepEqual(leased, ["train", "predict"]);
      assert.deepEqual(await readdir(join(workspace, "runs")), []);
    });

    it("shows the workers and cancels the run that they work on", async () => {
      const leased = new Promise<void>((resolve) => {
        const hang = (): never => {
          resolve();
          throw new Error("hangs");
        };
        void workOn(controller?.address ?? "", hang);
      });
      await client.createRun("first", config);
      await leased;
      const [worker] = await client.listWorkers();
      assert.match(worker?.running_task_id ?? "", /^[0-9a-f]{64}$/);
      await client.cancelRun("first");
      await follow("first");
      assert.equal((await client.getRun("first")).state, State.CANCELLED);
    });
  });
});
