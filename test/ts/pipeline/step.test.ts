import assert from "node:assert/strict";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { openArtifactStore } from "../../../ts/controller/artifacts.js";
import { openState, type StateStore } from "../../../ts/controller/state.js";
import type { ArtifactStore } from "../../../ts/core/artifacts.js";
import { cancelled } from "../../../ts/core/errors.js";
import type { RunEvent } from "../../../ts/gen/cassl/v1/run.js";
import { createSteps, type Steps } from "../../../ts/pipeline/step.js";
import { makeFolder } from "../controller/workbench.js";

describe("steps", () => {
  let folder: string;
  let state: StateStore;
  let artifacts: ArtifactStore;
  let events: RunEvent["event"][];
  let aborting: AbortController;

  beforeEach(async () => {
    folder = await makeFolder();
    state = openState(join(folder, "state.db"));
    artifacts = await openArtifactStore(join(folder, "artifacts"));
    events = [];
    aborting = new AbortController();
  });
  afterEach(async () => {
    state.close();
    await rm(folder, { recursive: true });
  });

  const open = (): Steps => createSteps(state, artifacts, (event) => events.push(event), aborting.signal);

  const never = async (): Promise<object> => assert.fail("the work was done again");

  it("does the work once for equal inputs, over runs and whatever the order of their members", async () => {
    const output = await open().run("", "curate", { a: 1, b: { c: [2] } }, async () => ({ value: 7, none: undefined }));
    assert.deepEqual(output, { value: 7 });
    assert.deepEqual(await open().run("", "curate", { b: { c: [2] }, a: 1 }, never), { value: 7 });
  });

  it("does the work again for other inputs or another name", async () => {
    const steps = open();
    const inputs = [{ seed: 1 }, { seed: 2 }, { seed: 1, more: null }];
    for (const input of inputs) await steps.run("", "warmup", input, async () => ({ input }));
    await steps.run("", "finetune", { seed: 1 }, async () => ({}));
    assert.equal(steps.summaries.filter(({ reused }) => !reused).length, 4);
    assert.equal(new Set(steps.summaries.map(({ key }) => key)).size, 4);
  });

  it("shares equal steps between scopes", async () => {
    const steps = open();
    await steps.run("supervised", "finetune", { seed: 1 }, async () => ({ ap: 1 }));
    await steps.run("class_agnostic", "finetune", { seed: 1 }, never);
    assert.deepEqual(
      steps.summaries.map(({ name, reused }) => [name, reused]),
      [
        ["supervised/finetune", false],
        ["class_agnostic/finetune", true],
      ],
    );
    const [first, second] = steps.summaries;
    assert.equal(second?.seconds, first?.seconds, "a reused step does not tell the time of its work");
  });

  it("does the work again when an artifact of its output is gone", async () => {
    const weights = await artifacts.put(Buffer.from("weights"));
    const train = async (): Promise<object> => ({ model: { weights: await artifacts.put(Buffer.from("weights")) } });
    await open().run("", "warmup", {}, train);
    await open().run("", "warmup", {}, never);
    await artifacts.remove(weights.sha256);
    const steps = open();
    await steps.run("", "warmup", {}, train);
    assert.equal(steps.summaries[0]?.reused, false);
    assert.notEqual(await artifacts.stat(weights.sha256), undefined);
  });

  it("stores nothing of work that fails or is cancelled", async () => {
    const failing = open().run("", "select", {}, async () => {
      throw new Error("no");
    });
    await assert.rejects(failing, /no/);
    const cancelling = open().run("", "select", {}, async () => {
      aborting.abort(cancelled());
      return {};
    });
    await assert.rejects(cancelling, { reason: "CANCELLED" });
    await assert.rejects(open().run("", "select", {}, never), { reason: "CANCELLED" });
    aborting = new AbortController();
    assert.deepEqual(await open().run("", "select", {}, async () => ({ done: true })), { done: true });
  });

  it("reports start, progress and end", async () => {
    await open().run("a", "evaluate", {}, async ({ progress, key }) => {
      progress({ $case: "items", value: { done: 1, total: 2 } });
      return { key };
    });
    assert.deepEqual(
      events.map((event) => event?.$case),
      ["step_started", "step_progress", "step_finished"],
    );
    assert.match(JSON.stringify(events[1]), /"step":"a\/evaluate".*"done":1/);
  });
});
