/** Faults while several runs share the workers: each ends as if it had been alone. */
import assert from "node:assert/strict";
import { once } from "node:events";
import type { RunConfig, RunEvent } from "../../ts/gen/cassl/v1/run.js";
import { State } from "../../ts/gen/cassl/v1/run.js";
import { assertArtifactsWhole, assertLedgersBalance, type Lab, openLab, UNLABELED } from "./lab.js";

type Event = NonNullable<RunEvent["event"]>;

const FAST = { TORCHLESS_MS: "0" };
const SLOW = { TORCHLESS_MS: "40" };

describe("several runs", function () {
  this.timeout(120_000);
  let lab: Lab;
  /** What each seed comes to where a run is left alone. */
  const expected = new Map<number, unknown>();

  const seeded = (seed: number): RunConfig => ({ ...lab.config, seed });

  before(async () => {
    lab = await openLab();
    try {
      await lab.serve();
      lab.startWorker({ env: FAST });
      for (const seed of [0, 1]) {
        await lab.client.createRun(`quiet-${seed}`, seeded(seed));
        expected.set(seed, (await lab.resultOf(await lab.outcome(`quiet-${seed}`))).arms);
      }
    } finally {
      await lab.close();
    }
  });
  beforeEach(async () => {
    lab = await openLab();
  });
  afterEach(() => lab.close());

  async function assertRight(runId: string, seed: number): Promise<void> {
    assert.deepEqual((await lab.resultOf(await lab.outcome(runId))).arms, expected.get(seed));
    await assertLedgersBalance(lab, runId, UNLABELED);
  }

  const training = ({ $case, value }: Event): boolean =>
    $case === "step_progress" && value.progress?.$case === "train" && value.progress.value.iteration >= 10;
  const predicting = ({ $case, value }: Event): boolean =>
    $case === "step_progress" && value.progress?.$case === "predict" && value.progress.value.images_done > 0;
  const logs = async (runId: string): Promise<string> =>
    (await lab.events(runId)).flatMap(({ event }) => (event?.$case === "log" ? [event.value.text] : [])).join("\n");

  it("all go on when the controller is killed, with the workers that they had", async () => {
    let server = await lab.serve();
    for (let worker = 0; worker < 2; worker++) lab.startWorker({ env: SLOW });
    const seeds = { a: 0, "same-as-a": 0, other: 1 };
    for (const [runId, seed] of Object.entries(seeds)) await lab.client.createRun(runId, seeded(seed));
    for (const at of [training, predicting]) {
      await Promise.all(Object.keys(seeds).map((runId) => lab.waitFor(runId, at)));
      server.child.kill("SIGKILL");
      await server.finished;
      server = await lab.serve();
    }
    for (const [runId, seed] of Object.entries(seeds)) {
      await assertRight(runId, seed);
      assert.doesNotMatch(await logs(runId), /Attempt \d+ ended/);
    }
    await assertArtifactsWhole(lab.workspace);
  });

  it("hear of the same lost worker where they share its task, and both get the result", async () => {
    await lab.serve();
    const doomed = lab.startWorker({ env: SLOW });
    for (const runId of ["a", "b"]) await lab.client.createRun(runId, lab.config);
    await Promise.all(["a", "b"].map((runId) => lab.waitFor(runId, training)));
    doomed.kill("SIGKILL");
    await once(doomed, "exit");
    lab.startWorker({ env: FAST });
    for (const runId of ["a", "b"]) {
      await assertRight(runId, 0);
      assert.match(await logs(runId), /Attempt 1 ended/);
    }
  });

  it("keep a task that they share when the one that began it is cancelled", async () => {
    await lab.serve();
    lab.startWorker({ env: SLOW });
    for (const runId of ["a", "b"]) await lab.client.createRun(runId, lab.config);
    await Promise.all(["a", "b"].map((runId) => lab.waitFor(runId, training)));
    await lab.client.cancelRun("a");
    assert.equal((await lab.outcome("a")).state, State.CANCELLED);
    const [worker] = await lab.client.listWorkers();
    const task = worker?.running_task;
    assert.deepEqual([task?.attempt, task?.steps.map(({ run_id }) => run_id)], [1, ["b"]]);
    await assertRight("b", 0);
    assert.doesNotMatch(await logs("b"), /Attempt \d+ ended/);
  });
});
