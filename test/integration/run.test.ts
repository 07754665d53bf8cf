/** The whole protocol with a real Python worker, through the compiled CLI. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { cassl, eventsOf, makeProject, type Project, resultOf } from "./project.js";

interface ProgressEvent {
  step_progress?: { step: string; train?: { iteration: number } };
}

function trainedAtLeast(step: string, iteration: number): (line: string) => boolean {
  return (line) => {
    if (!line.startsWith("{")) return false;
    const progress = (JSON.parse(line) as ProgressEvent).step_progress;
    return progress?.step === step && (progress.train?.iteration ?? 0) >= iteration;
  };
}

function firstIteration(stdout: string, step: string): number | undefined {
  const progress = eventsOf(stdout).map((event) => (event as ProgressEvent).step_progress);
  return progress.find((event) => event?.step === step)?.train?.iteration;
}

describe("cassl run with a real worker", function () {
  this.timeout(300_000);
  let project: Project;

  before(async () => {
    project = await makeProject();
  });
  after(() => project.remove());

  const run = (...args: string[]) => cassl(["run", project.configFile, ...args]);

  it("trains both arms at the same number of iterations and writes result.json and the report", async () => {
    const result = await resultOf(await run().finished);
    assert.deepEqual(
      result.arms.map(({ arm, total_iterations }) => [arm, total_iterations]),
      [
        ["supervised", 12],
        ["class_agnostic", 12],
      ],
    );
    for (const { ap, class_agnostic_ap } of result.arms) {
      assert.ok(ap >= 0 && ap <= 1 && class_agnostic_ap >= 0 && class_agnostic_ap <= 1);
    }
    assert.ok(result.steps.every((step) => !step.reused));
    assert.deepEqual(
      result.gates.map((gate) => gate.passed),
      [true, true, true],
    );
  });

  it("reuses every step when nothing has changed", async () => {
    const result = await resultOf(await run().finished);
    assert.deepEqual(
      result.steps.filter((step) => !step.reused),
      [],
    );
  });

  it("trains again only from the fine-tuning when only its iterations change", async () => {
    project.config.stages.finetune["solver"] = { iterations: 6 };
    await project.writeConfig();
    const result = await resultOf(await run("--json").finished);
    const fresh = result.steps.filter((step) => !step.reused).map((step) => step.name);
    assert.deepEqual(fresh, [
      "supervised/finetune",
      "supervised/export",
      "supervised/evaluate",
      "class_agnostic/finetune",
      "class_agnostic/export",
      "class_agnostic/evaluate",
    ]);
  });
});

describe("one warm-up for several targets", function () {
  this.timeout(300_000);
  let project: Project;

  before(async () => {
    project = await makeProject();
  });
  after(() => project.remove());

  it("fine-tunes it into each family and has a result for each", async () => {
    Object.assign(project.config, { arms: ["class_agnostic"], targets: ["light", "faster_rcnn"] });
    await project.writeConfig();
    const result = await resultOf(await cassl(["run", project.configFile]).finished);
    assert.deepEqual(
      result.arms.map(({ arm, target }) => [arm, target]),
      [
        ["class_agnostic", "light"],
        ["class_agnostic", "faster_rcnn"],
      ],
    );
    const trained = result.steps.map(({ name }) => name).filter((name) => /warmup|finetune/.test(name));
    assert.deepEqual(trained, [
      "class_agnostic/warmup",
      "class_agnostic/light/finetune",
      "class_agnostic/faster_rcnn/finetune",
    ]);
  });
});

describe("a run that is killed", function () {
  this.timeout(300_000);
  const step = "class_agnostic/warmup";
  let project: Project;
  let undisturbed: Awaited<ReturnType<typeof resultOf>>;

  before(async () => {
    project = await makeProject();
    project.config.arms = ["class_agnostic"];
    project.config.stages.warmup["solver"] = { iterations: 60, checkpoint_every_iterations: 5 };
    await project.writeConfig();
    undisturbed = await resultOf(
      await cassl(["run", project.configFile, "--workspace", `${project.folder}/undisturbed`]).finished,
    );
  });
  after(() => project.remove());

  const start = (workspace: string) =>
    cassl(["run", project.configFile, "--json", "--workspace", `${project.folder}/${workspace}`]);

  const assertSameModel = (result: typeof undisturbed): void => {
    assert.deepEqual(
      result.arms.map(({ stats, detections }) => ({ stats, detections })),
      undisturbed.arms.map(({ stats, detections }) => ({ stats, detections })),
    );
  };

  for (const signal of ["SIGKILL", "SIGINT"] as const) {
    it(`goes on from the last checkpoint after ${signal} of the controller, to the same model`, async () => {
      const first = start(signal);
      await first.line(trainedAtLeast(step, 20));
      first.child.kill(signal);
      const ended = await first.finished;
      if (signal === "SIGINT") assert.equal(ended.code, 130);

      const second = await start(signal).finished;
      assert.ok((firstIteration(second.stdout, step) ?? 0) > 10, "training started from zero");
      assertSameModel(await resultOf(second));
    });
  }

  it("goes on from the last checkpoint after SIGKILL of the worker, to the same model", async () => {
    const running = start("worker");
    await running.line(trainedAtLeast(step, 20));
    killChildren(running.child.pid ?? 0);
    assertSameModel(await resultOf(await running.finished));
  });
});

/** Kills the Python processes that `parent` started. */
function killChildren(parent: number): void {
  const children = readFileSync(`/proc/${parent}/task/${parent}/children`, "utf8")
    .trim()
    .split(" ")
    .filter(Boolean)
    .map(Number);
  assert.ok(children.length > 0, "the controller has no child worker");
  for (const pid of children) process.kill(pid, "SIGKILL");
}
