import assert from "node:assert/strict";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { CasslClient } from "../../../ts/client/client.js";
import { type Controller, startController } from "../../../ts/controller/controller.js";
import { PlannedStepState, type RunPlan } from "../../../ts/gen/cassl/v1/controller_service.js";
import type { RunConfig } from "../../../ts/gen/cassl/v1/run.js";
import type { Lease } from "../../../ts/gen/cassl/v1/worker_service.js";
import { makeCellsProject, workOn } from "./cells-project.js";
import { makeFolder } from "./workbench.js";

const { REUSED, RUNS, DEPENDS } = PlannedStepState;

describe("plans", () => {
  let folder: string;
  let controller: Controller;
  let client: CasslClient;
  let config: RunConfig;

  beforeEach(async () => {
    folder = await makeFolder();
    config = await makeCellsProject(folder);
    const workspace = join(folder, ".cassl");
    controller = await startController({ workspace, host: "127.0.0.1", port: 0, childWorkers: 0, recover: "leave" });
    client = new CasslClient(controller.address);
  });
  afterEach(async () => {
    client.close();
    await controller.stop();
    await rm(folder, { recursive: true });
  });

  const stateOf = ({ steps }: RunPlan, name: string): PlannedStepState | undefined =>
    steps.find(({ step }) => step === name)?.state;
  const run = async (id: string) => {
    await client.createRun(id, config);
    return client.resultOf(id);
  };
  const withFinetune = (iterations: number): RunConfig => {
    const { stages } = config;
    const finetune = stages?.finetune;
    const solver = finetune?.solver && { ...finetune.solver, iterations };
    return { ...config, stages: stages && { ...stages, finetune: finetune && { ...finetune, solver } } };
  };

  it("name the steps of the run in its order, before anything is known", async () => {
    const leased: Lease[] = [];
    void workOn(controller.address, (lease) => leased.push(lease));
    const plan = await client.planRun(config);
    assert.deepEqual(leased, []);
    assert.deepEqual([plan.labeled_images, plan.unlabeled_images, plan.validation_images], [2, 3, 1]);
    assert.equal(plan.iterations_per_arm, 900);
    assert.equal(plan.seconds, undefined);
    assert.ok(plan.free_bytes > 0);
    assert.deepEqual(
      [stateOf(plan, "curate"), stateOf(plan, "supervised/finetune"), stateOf(plan, "supervised/export")],
      [REUSED, RUNS, DEPENDS],
    );
    const predict = plan.steps.find(({ step }) => step === "class_agnostic/predict");
    assert.deepEqual([predict?.state, predict?.images, predict?.key], [DEPENDS, 3, ""]);
    const { steps } = await run("a");
    assert.deepEqual(
      plan.steps.map(({ step }) => step),
      steps.map(({ name }) => name),
    );
    const named = plan.steps.filter(({ key }) => key !== "").map(({ step, key }) => [step, key]);
    const keys = new Map(steps.map(({ name, key }) => [name, key]));
    for (const [step = "", key] of named) assert.equal(keys.get(step), key);
  });

  it("say what is reused, and how long the rest takes, by what was measured", async () => {
    void workOn(controller.address);
    await run("a");
    const equal = await client.planRun(config);
    assert.ok(equal.steps.every(({ state }) => state === REUSED));
    assert.equal(equal.seconds, 0);

    config = withFinetune(600);
    const plan = await client.planRun(config);
    const named = (wanted: PlannedStepState) =>
      plan.steps.filter(({ state }) => state === wanted).map(({ step }) => step);
    const { steps } = await run("b");
    const done = steps.filter(({ reused }) => !reused).map(({ name }) => name);
    assert.deepEqual(named(RUNS), ["supervised/finetune", "class_agnostic/finetune"]);
    assert.ok(named(RUNS).every((step) => done.includes(step)));
    assert.deepEqual(
      done.filter((step) => named(REUSED).includes(step)),
      [],
    );
    // The worker of the tests exports the same file whatever it was trained for, so that its evaluation is known after all.
    assert.ok(named(DEPENDS).includes("supervised/evaluate") && !done.includes("supervised/evaluate"));
    const [step] = plan.steps.filter(({ step }) => step === "class_agnostic/finetune");
    assert.deepEqual([step?.state, step?.iterations, step?.images_per_batch], [RUNS, 600, 8]);
    // The worker of the tests says that it trains 5 images a second.
    assert.ok((step?.seconds ?? 0) > (600 * 8) / 5 - 1, String(step?.seconds));
    assert.match(step?.measured_on ?? "", /^here, cpu$/);
    assert.ok((plan.seconds ?? 0) > (step?.seconds ?? 0));
  });

  it("probe what was never measured, for 20 iterations, once", async () => {
    await assert.rejects(client.planRun(config, { probe: true }), { reason: "WORKER_NOT_FOUND", message: /attached/ });
    const leased: number[] = [];
    void workOn(controller.address, ({ task }) => {
      const kind = task?.kind;
      if (kind?.$case === "train") leased.push(kind.value.solver?.iterations ?? 0);
    });
    while ((await client.listWorkers()).length === 0);
    const plan = await client.planRun(config, { probe: true });
    assert.deepEqual(leased, [20]);
    const trained = plan.steps.filter(({ iterations }) => iterations > 0);
    assert.ok(trained.length === 4 && trained.every(({ seconds }) => seconds !== undefined && seconds > 0));
    await client.planRun(config, { probe: true });
    assert.deepEqual(leased, [20]);
  });

  it("refuse what a run would refuse", async () => {
    await assert.rejects(client.planRun({ ...config, arms: ["both"] }), { reason: "CONFIG_INVALID", message: /arms/ });
    const data = config.data!;
    const validation = { ...data.validation!, annotations: "/nowhere.json" };
    await assert.rejects(client.planRun({ ...config, data: { ...data, validation } }), { reason: "FILE_NOT_FOUND" });
    await assert.rejects(client.planRun(config, { dataset: "none" }), { reason: "DATASET_NOT_FOUND" });
    await assert.rejects(client.planRun({ ...config, data: undefined }), { reason: "CONFIG_INVALID", message: /data/ });
  });
});
