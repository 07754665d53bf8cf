/** One fault after the other, on real processes. docs/faults.md lists what is promised. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type Controller, startController } from "../../ts/controller/controller.js";
import { ErrorReason } from "../../ts/gen/cassl/v1/error_reason.js";
import { type Run, type RunEvent, State } from "../../ts/gen/cassl/v1/run.js";
import { assertArtifactsWhole, assertLedgersBalance, type Lab, openLab, UNLABELED } from "./lab.js";
import { type Relay, relayTo } from "./relay.js";

type Event = NonNullable<RunEvent["event"]>;

const HEARTBEAT_SECONDS = 0.3;

describe("a run", function () {
  this.timeout(120_000);
  let lab: Lab;
  let controller: Controller | undefined;
  let relay: Relay | undefined;
  let expected: unknown;

  /** What a run comes to that is left alone. */
  before(async () => {
    lab = await openLab();
    try {
      await lab.serve();
      lab.startWorker({ env: { TORCHLESS_MS: "0" } });
      await lab.client.createRun("quiet", lab.config);
      expected = (await lab.resultOf(await lab.outcome("quiet"))).arms;
    } finally {
      await lab.close();
    }
  });
  beforeEach(async () => {
    lab = await openLab();
  });
  afterEach(async () => {
    await relay?.close();
    await controller?.stop();
    [relay, controller] = [undefined, undefined];
    await lab.close();
  });

  /** A controller in this process, which loses patience soon. */
  async function serveHere(encryptFrames = false): Promise<void> {
    controller = await startController({
      workspace: lab.workspace,
      host: "127.0.0.1",
      port: lab.port,
      childWorkers: 0,
      recover: "resume",
      heartbeatSeconds: HEARTBEAT_SECONDS,
      encryptFrames,
    });
  }

  async function assertRight(run: Run): Promise<void> {
    assert.deepEqual((await lab.resultOf(run)).arms, expected);
    await assertLedgersBalance(lab, run.run_id, UNLABELED);
    await assertArtifactsWhole(lab.workspace);
  }

  const predicting = ({ $case, value }: Event): boolean =>
    $case === "step_progress" && value.progress?.$case === "predict" && value.progress.value.images_done > 0;
  const training = ({ $case, value }: Event): boolean =>
    $case === "step_progress" && value.progress?.$case === "train" && value.progress.value.iteration >= 10;
  const logs = async (runId: string): Promise<string> =>
    (await lab.events(runId)).flatMap(({ event }) => (event?.$case === "log" ? [event.value.text] : [])).join("\n");

  it("outlives a worker that stops for longer than its lease and then goes on: its late shards count for nothing", async () => {
    await serveHere();
    const zombie = lab.startWorker({ env: { TORCHLESS_MS: "30" } });
    await lab.client.createRun("a", lab.config);
    await lab.waitFor("a", predicting);
    zombie.kill("SIGSTOP");
    const other = lab.startWorker({ env: { TORCHLESS_MS: "20" } });
    await lab.waitFor("a", (event) => event.$case === "log" && /missed 3 heartbeats/.test(event.value.text));
    zombie.kill("SIGCONT");
    await assertRight(await lab.outcome("a"));
    assert.deepEqual([zombie.exitCode, other.exitCode], [null, null], "both workers live");
  });

  it("goes on where it was when the connection of a worker is cut, without another attempt", async () => {
    await serveHere();
    relay = await relayTo(lab.port);
    lab.startWorker({ controller: relay.address });
    await lab.client.createRun("a", lab.config);
    for (const at of [training, predicting]) {
      await lab.waitFor("a", at);
      relay.cut();
    }
    await assertRight(await lab.outcome("a"));
    assert.doesNotMatch(await logs("a"), /Attempt \d+ ended/);
  });

  it("finds a connection that is dead without being closed, and gives the work to another worker", async () => {
    await serveHere();
    relay = await relayTo(lab.port);
    lab.startWorker({ controller: relay.address, env: { TORCHLESS_MS: "30" } });
    await lab.client.createRun("a", lab.config);
    await lab.waitFor("a", training);
    relay.silence();
    lab.startWorker();
    await assertRight(await lab.outcome("a"));
    assert.match(await logs("a"), /Attempt 1 ended: .*missed 3 heartbeats/);
  });

  it("is right over a slow link, with encrypted frames", async () => {
    await serveHere(true);
    relay = await relayTo(lab.port, 60);
    lab.startWorker({ controller: relay.address });
    await lab.client.createRun("a", lab.config);
    await assertRight(await lab.outcome("a"));
    assert.doesNotMatch(await logs("a"), /Attempt \d+ ended/);
  });

  it("goes on with a worker that outlives its controller, without starting over", async () => {
    let server = await lab.serve();
    lab.startWorker({ env: { TORCHLESS_MS: "60" } });
    await lab.client.createRun("a", lab.config);
    for (const at of [training, predicting]) {
      await lab.waitFor("a", at);
      server.child.kill("SIGKILL");
      await server.finished;
      server = await lab.serve();
    }
    await assertRight(await lab.outcome("a"));
    assert.doesNotMatch(await logs("a"), /Attempt \d+ ended/);
  });

  it("goes on from the checkpoint of a worker that is told to leave, which ends with success", async () => {
    await lab.serve();
    const leaving = lab.startWorker();
    await lab.client.createRun("a", lab.config);
    await lab.waitFor("a", training);
    leaving.kill("SIGTERM");
    const [code] = (await once(leaving, "exit")) as [number];
    assert.equal(code, 0);
    lab.startWorker();
    await assertRight(await lab.outcome("a"));
    assert.doesNotMatch(await logs("a"), /Attempt \d+ ended/);
  });

  it("is labeled faster when a second worker comes", async () => {
    await lab.serve();
    lab.startWorker({ env: { TORCHLESS_MS: "40" } });
    await lab.client.createRun("a", lab.config);
    await lab.waitFor("a", predicting);
    lab.startWorker({ env: { TORCHLESS_MS: "40" } });
    await assertRight(await lab.outcome("a"));
    const workers = await lab.client.listWorkers();
    assert.ok(
      workers.every(({ frames }) => (frames?.committed ?? 0) > 0),
      JSON.stringify(workers),
    );
  });

  it("fails with the last lines of the worker when an image kills whoever looks at it, and says what may be the cause", async () => {
    await lab.serve({ workers: 2, env: { TORCHLESS_POISON: "050", TORCHLESS_MS: "0" } });
    await lab.client.createRun("a", lab.config);
    const { state, error } = await lab.outcome("a");
    assert.equal(state, State.FAILED);
    assert.equal(error?.reason, ErrorReason.WORKER_FAILED);
    assert.match(error?.message ?? "", /3 attempts.*SIGKILL\. The kernel .*memory.*the image is poison/s);
    assert.match(error?.remedy ?? "", /memory/);
  });

  it("does not care for clocks that jump", async () => {
    const clock = join(lab.folder, "clock.mjs");
    const jump = "const now = Date.now; Date.now = () => now() + Math.round((Math.random() - 0.5) * 2e8);";
    await writeFile(clock, jump);
    await lab.serve({ env: { NODE_OPTIONS: `--import=${clock}` } });
    for (let worker = 0; worker < 2; worker++) lab.startWorker({ env: { TORCHLESS_CLOCK: "jumps" } });
    await lab.client.createRun("a", lab.config);
    await assertRight(await lab.outcome("a"));
    assert.doesNotMatch(await logs("a"), /Attempt \d+ ended/);
  });

  it("fails with the cause on a full disk, and goes on when there is space again", async function () {
    const small = join(lab.folder, "workspace");
    await mkdir(small);
    try {
      execFileSync("mount", ["-t", "tmpfs", "-o", "size=24m", "tmpfs", small], { stdio: "ignore" });
    } catch {
      console.log("skipped: a small file system cannot be mounted here");
      this.skip();
    }
    try {
      const server = await lab.serve();
      lab.startWorker();
      await lab.client.createRun("a", lab.config);
      await lab.waitFor("a", predicting);
      const filler = join(small, "filler");
      await writeFile(filler, Buffer.alloc(25 * 2 ** 20)).catch(() => {});
      const failed = await lab.outcome("a");
      assert.equal(failed.error?.reason, ErrorReason.STORAGE_FAILED, failed.error?.message);
      await rm(filler);
      await lab.client.createRun("b", lab.config);
      await assertRight(await lab.outcome("b"));
      server.child.kill("SIGKILL");
      await server.finished;
    } finally {
      execFileSync("umount", ["-l", small]);
    }
  });

  it("makes again what was damaged on disk", async () => {
    await lab.serve();
    lab.startWorker({ env: { TORCHLESS_MS: "0" } });
    await lab.client.createRun("a", lab.config);
    await lab.outcome("a");
    const folder = join(lab.workspace, "artifacts");
    const files = (await readdir(folder, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile());
    for (const { name, parentPath } of files) {
      const bytes = await readFile(join(parentPath, name));
      bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1;
      await writeFile(join(parentPath, name), bytes);
    }
    await lab.client.createRun("b", lab.config);
    const { arms, steps } = await lab.resultOf(await lab.outcome("b"));
    assert.deepEqual(arms, expected);
    assert.deepEqual(
      steps.filter(({ reused }) => reused),
      [],
      "nothing of what was damaged is taken for whole",
    );
    await assertLedgersBalance(lab, "b", UNLABELED);
  });
});
