import assert from "node:assert/strict";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { CasslClient } from "../../../ts/client/client.js";
import { type Controller, startController } from "../../../ts/controller/controller.js";
import { bytesOf, findGarbage, removeArtifacts } from "../../../ts/controller/garbage.js";
import { openWorkspace, type Workspace } from "../../../ts/controller/workspace.js";
import type { RunConfig } from "../../../ts/gen/cassl/v1/run.js";
import type { RunResult } from "../../../ts/pipeline/pipeline.js";
import { makeCellsProject, workOn } from "./cells-project.js";
import { makeFolder } from "./workbench.js";

describe("garbage", () => {
  let folder: string;
  let workspace: string;

  beforeEach(async () => {
    folder = await makeFolder();
    workspace = join(folder, ".cassl");
  });
  afterEach(() => rm(folder, { recursive: true }));

  const withWorkspace = async <T>(work: (opened: Workspace) => Promise<T>): Promise<T> => {
    const opened = await openWorkspace(workspace);
    return work(opened).finally(opened.close);
  };
  const put = (opened: Workspace, text: string) => opened.artifacts.put(Buffer.from(text));

  it("is what neither the state nor a needed artifact names", async () => {
    await withWorkspace(async (opened) => {
      const { state } = opened;
      const shard = await put(opened, "shard");
      const manifest = await put(opened, `{"shards":["${shard.sha256}"],"far":"${"x".repeat(70_000)}"}`);
      const far = await put(opened, "far");
      const lines = await put(opened, `{"a":1}\n${"x".repeat(65_500)}{"b":"${far.sha256}"}\n`);
      const output = JSON.stringify({ raw: manifest, lines: lines.sha256 });
      state.saveStep({ key: "k", name: "predict", output, seconds: 1 });
      const checkpoint = await put(opened, "checkpoint");
      state.nextAttempt("t");
      state.saveCheckpoint("t", { iteration: 1, checkpoint });
      const committed = await put(opened, "committed");
      state.addShard("t", { shard: 0, image_count: 1, box_count: 0, sha256: committed.sha256 });
      const orphan = await put(opened, "orphan, the largest of two");
      const list = await put(opened, `["${orphan.sha256}"]`);

      const { needed, unneeded } = await findGarbage(opened.artifactFolder, state);
      assert.deepEqual(unneeded, [list, orphan]);
      assert.equal(needed.artifacts, 6);
      await removeArtifacts(opened.artifactFolder, unneeded);
      assert.equal(await opened.artifacts.stat(orphan.sha256), undefined);
      assert.equal(bytesOf((await findGarbage(opened.artifactFolder, state)).unneeded), 0);
    });
  });

  it("is nothing in a workspace without artifacts", async () => {
    await withWorkspace(async (opened) => {
      const none = { needed: { artifacts: 0, bytes: 0 }, unneeded: [] };
      assert.deepEqual(await findGarbage(opened.artifactFolder, opened.state), none);
    });
  });

  describe("of a workspace with runs", () => {
    let controller: Controller;
    let client: CasslClient;
    let config: RunConfig;

    const start = async (): Promise<void> => {
      controller = await startController({ workspace, host: "127.0.0.1", port: 0, childWorkers: 0, recover: "fail" });
      client = new CasslClient(controller.address);
    };
    const stop = async (): Promise<void> => {
      client.close();
      await controller.stop();
    };
    const run = async (id: string): Promise<RunResult> => {
      await client.createRun(id, config);
      for await (const _ of client.watchRun(id));
      const { result, error } = await client.getRun(id);
      assert.equal(error, undefined);
      return JSON.parse(Buffer.from(await client.getArtifact(result?.sha256 ?? "")).toString()) as RunResult;
    };

    it("is not what an equal run needs, which reuses every step after it is gone", async () => {
      config = await makeCellsProject(folder);
      await start();
      void workOn(controller.address);
      const before = await run("before");
      const orphan = await client.putArtifact(Buffer.from("never used"));
      await assert.rejects(openWorkspace(workspace), { reason: "WORKSPACE_LOCKED" });
      await stop();

      await withWorkspace(async (opened) => {
        const { unneeded } = await findGarbage(opened.artifactFolder, opened.state);
        assert.ok(unneeded.some(({ sha256 }) => sha256 === orphan.sha256));
        await removeArtifacts(opened.artifactFolder, unneeded);
      });

      await start();
      const after = await run("after");
      assert.deepEqual(after.arms, before.arms);
      assert.ok(after.steps.every(({ reused }) => reused));
      void workOn(controller.address);
      config = { ...config, seed: 8 };
      assert.ok((await run("other")).steps.some(({ reused }) => !reused));
      await stop();
    });
  });
});
