import assert from "node:assert/strict";
import { rm } from "node:fs/promises";
import { cancelRuns } from "../../../ts/cli/compare-runs.js";
import { CasslClient } from "../../../ts/client/client.js";
import { designRuns } from "../../../ts/comparison/design.js";
import { type Controller, startController } from "../../../ts/controller/controller.js";
import { State } from "../../../ts/gen/cassl/v1/run.js";
import { toRunConfig } from "../../../ts/pipeline/config.js";
import { makeFolder } from "../controller/workbench.js";
import { exampleConfig } from "../report/example.js";

describe("the runs of a comparison", () => {
  let workspace: string;
  let controller: Controller;
  let client: CasslClient;
  beforeEach(async () => {
    workspace = await makeFolder();
    controller = await startController({ workspace, host: "127.0.0.1", port: 0, childWorkers: 0, recover: "fail" });
    client = new CasslClient(controller.address);
  });
  afterEach(async () => {
    client.close();
    await controller.stop();
    await rm(workspace, { recursive: true });
  });

  it("are cancelled, also where some of them have yet to be created", async () => {
    const runs = designRuns(exampleConfig, { arms: ["supervised", "class_agnostic"], seeds: 1, percents: [] }, 0);
    const [first, second] = runs;
    assert.ok(first && second);
    await client.createRun(second.run_id, toRunConfig(second.config));
    await cancelRuns(client, runs);
    assert.deepEqual(
      (await client.listRuns()).map(({ run_id }) => run_id),
      [second.run_id],
    );
    for await (const _ of client.watchRun(second.run_id)) {
      // until its end
    }
    assert.notEqual((await client.getRun(second.run_id)).state, State.RUNNING);
  });
});
