import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { CasslClient, type RunFilter } from "../../../ts/client/client.js";
import { type Controller, startController } from "../../../ts/controller/controller.js";
import { CasslError } from "../../../ts/core/errors.js";
import { canonicalJson, sha256 } from "../../../ts/core/hash.js";
import { ErrorReason } from "../../../ts/gen/cassl/v1/error_reason.js";
import { type RunConfig, State } from "../../../ts/gen/cassl/v1/run.js";
import { parseConfig } from "../../../ts/pipeline/config.js";
import { makeCellsProject } from "../controller/cells-project.js";
import { makeFolder } from "../controller/workbench.js";

/** Fails as soon as it runs. */
const missing: RunConfig = parseConfig({
  name: "missing",
  arms: ["supervised"],
  data: {
    labeled: { annotations: "/nowhere/train.json", images: "/nowhere" },
    validation: { annotations: "/nowhere/val.json", images: "/nowhere" },
  },
});

describe("client", () => {
  let folder: string;
  let controller: Controller;
  let client: CasslClient;

  const start = async (port = 0): Promise<void> => {
    const workspace = join(folder, ".cassl");
    controller = await startController({ workspace, host: "127.0.0.1", port, childWorkers: 0, recover: "resume" });
  };

  beforeEach(async () => {
    folder = await makeFolder();
    await start();
    client = new CasslClient(controller.address);
  });
  afterEach(async () => {
    client.close();
    await controller.stop();
    await rm(folder, { recursive: true });
  });

  it("knows whether the controller serves", async () => {
    assert.equal(await client.serves(), true);
    await controller.stop();
    await assert.rejects(client.serves(), { reason: "CONTROLLER_UNREACHABLE" });
  });

  it("creates a run once per id", async () => {
    const created = await client.createRun("a", missing);
    assert.equal(created.run_id, "a");
    assert.equal(canonicalJson(created.config), canonicalJson(missing));
    assert.equal((await client.createRun("a", missing)).config_hash, created.config_hash);
    await assert.rejects(client.createRun("a", { ...missing, seed: 1 }), { reason: "RUN_EXISTS", message: /`a`/ });
    assert.deepEqual(
      (await client.listRuns()).map(({ run_id }) => run_id),
      ["a"],
    );
  });

  it("gets the controller's errors with their remedies", async () => {
    await assert.rejects(client.getRun("a"), (error) => {
      assert.ok(error instanceof CasslError);
      assert.deepEqual([error.reason, error.remedy], ["RUN_NOT_FOUND", "`cassl runs` lists the runs there are."]);
      return true;
    });
    await assert.rejects(client.watchRun("a")[Symbol.asyncIterator]().next(), { reason: "RUN_NOT_FOUND" });
    await assert.rejects(client.createRun("a", { ...missing, arms: ["both"] }), {
      reason: "CONFIG_INVALID",
      message: /arms/,
    });
    await assert.rejects(client.getArtifact(sha256("none")), { reason: "ARTIFACT_NOT_FOUND" });
  });

  it("watches a run to its end, from the beginning or from any event", async () => {
    await client.createRun("a", missing);
    const states: State[] = [];
    for await (const { event } of client.watchRun("a"))
      if (event?.$case === "state_changed") states.push(event.value.state);
    assert.deepEqual(states, [State.PENDING, State.RUNNING, State.FAILED]);
    const rest = [];
    for await (const { sequence } of client.watchRun("a", 2)) rest.push(sequence);
    assert.equal(rest[0], 3);
    assert.equal((await client.getRun("a")).error?.reason, ErrorReason.FILE_NOT_FOUND);
  });

  it("goes on watching over a restart of the controller, without losing or repeating an event", async () => {
    await client.createRun("a", await makeCellsProject(folder));
    const port = Number(controller.address.split(":")[1]);
    const sequences: number[] = [];
    for await (const { sequence, event } of client.watchRun("a")) {
      sequences.push(sequence);
      const running = event?.$case === "state_changed" && event.value.state === State.RUNNING;
      if (running && sequences.length > 2) await client.cancelRun("a");
      // Nobody works on the first step for workers: the run is left unfinished, and resumed.
      if (event?.$case === "step_started" && event.value.step === "supervised/finetune") {
        await controller.stop();
        await start(port);
      }
    }
    assert.deepEqual(
      sequences,
      sequences.map((_, index) => index + 1),
    );
    assert.equal((await client.getRun("a")).state, State.CANCELLED);
  });

  it("stops watching when asked to, and the run goes on", async () => {
    await client.createRun("a", await makeCellsProject(folder));
    const leaving = new AbortController();
    const watching = async (): Promise<void> => {
      for await (const { event } of client.watchRun("a", 0, leaving.signal)) {
        if (event?.$case === "step_started") leaving.abort();
      }
    };
    await assert.rejects(watching(), { reason: "CANCELLED" });
    for await (const { event } of client.watchRun("a")) if (event?.$case === "step_started") break;
    assert.equal((await client.getRun("a")).state, State.RUNNING);
  });

  it("lists runs by state and name", async () => {
    for (const id of ["a", "b", "c"]) {
      await client.createRun(id, missing);
      for await (const _ of client.watchRun(id));
    }
    const ids = async (filter: RunFilter): Promise<string[]> =>
      (await client.listRuns(filter)).map(({ run_id }) => run_id);
    assert.deepEqual(await ids({ states: [State.FAILED], name: "missing" }), ["c", "b", "a"]);
    assert.deepEqual(await ids({ states: [State.SUCCEEDED] }), []);
    await assert.rejects(ids({ states: [State.UNSPECIFIED] }), { reason: "REQUEST_INVALID", message: /states/ });
  });

  it("tries a run again", async () => {
    await client.createRun("a", missing);
    for await (const _ of client.watchRun("a"));
    const { state, error } = await client.retryRun("a");
    assert.deepEqual([state, error], [State.PENDING, undefined]);
    for await (const _ of client.watchRun("a"));
    assert.equal((await client.getRun("a")).state, State.FAILED);
    await assert.rejects(client.retryRun("b"), { reason: "RUN_NOT_FOUND" });
  });

  it("refuses to watch from before the beginning, and to drain who is not there", async () => {
    await client.createRun("a", missing);
    await assert.rejects(client.watchRun("a", -1).next(), { reason: "REQUEST_INVALID", message: /after_sequence.*-1/ });
    await assert.rejects(client.drainWorker("worker-9"), { reason: "WORKER_NOT_FOUND", message: /worker-9/ });
  });

  it("stores artifacts from memory and from files, once, and gives them back", async () => {
    const bytes = randomBytes(700_000);
    const file = join(folder, "file");
    await writeFile(file, bytes);
    const ref = await client.putArtifact(bytes);
    assert.deepEqual(ref, { sha256: sha256(bytes), size_bytes: bytes.length });
    assert.deepEqual(await client.putArtifact(file), ref);
    assert.ok(bytes.equals(await client.getArtifact(ref.sha256)));
    assert.deepEqual(await client.putArtifact(new Uint8Array()), { sha256: sha256(""), size_bytes: 0 });
    await assert.rejects(client.putArtifact(join(folder, "none")), { reason: "FILE_NOT_FOUND", message: /none/ });
  });

  it("ends a call when its signal aborts, and when its time is up", async () => {
    const signal = AbortSignal.abort();
    await assert.rejects(client.listRuns({}, { signal }), { reason: "CANCELLED" });
    await assert.rejects(client.putArtifact(randomBytes(9), { signal }), { reason: "CANCELLED" });
    await assert.rejects(client.getArtifact(sha256("x"), signal), { reason: "CANCELLED" });
    await assert.rejects(client.listRuns({}, { timeoutSeconds: 0 }), { reason: "CONTROLLER_UNREACHABLE" });
  });

  it("says where no controller answers", async () => {
    const nobody = new CasslClient("127.0.0.1:9");
    const unreachable = { reason: "CONTROLLER_UNREACHABLE", message: /127\.0\.0\.1:9/, remedy: /cassl serve/ };
    await assert.rejects(nobody.listRuns(), unreachable);
    await assert.rejects(nobody.watchRun("a")[Symbol.asyncIterator]().next(), unreachable);
    nobody.close();
  });
});
