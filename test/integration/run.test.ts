/** The whole protocol with a real Python worker, through the compiled CLI. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
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
    assert.ok(result.gates.length >= 10 && result.gates.every(({ passed, overridden }) => passed || overridden));
    const [quality] = result.arms[1]?.rounds.map((round) => round.quality) ?? [];
    assert.equal(quality?.threshold.images, 1);
    assert.deepEqual(
      result.steps.filter(({ name }) => /hold_out|choose_threshold|predict/.test(name)).map(({ name }) => name),
      ["hold_out", "class_agnostic/predict_held_out", "class_agnostic/choose_threshold", "class_agnostic/predict"],
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

describe("the arms that CA-SSL is compared with", function () {
  this.timeout(300_000);
  let project: Project;

  before(async () => {
    project = await makeProject();
  });
  after(() => project.remove());

  it("have results at the same total of iterations", async () => {
    Object.assign(project.config, { arms: ["self_supervised", "mean_teacher"] });
    await project.writeConfig();
    const { stdout, ...finished } = await cassl(["run", project.configFile]).finished;
    const result = await resultOf({ stdout, ...finished });
    assert.deepEqual(
      result.arms.map(({ arm, total_iterations, rounds }) => [arm, total_iterations, rounds.length]),
      [
        ["self_supervised", 12, 0],
        ["mean_teacher", 12, 0],
      ],
    );
    assert.match(stdout, /^self_supervised .*\n(mean_teacher) /m);
    assert.deepEqual(
      result.steps.map(({ name }) => name),
      [
        "curate",
        ...["pretrain", "finetune", "export", "evaluate"].map((name) => `self_supervised/${name}`),
        ...["mean_teacher", "export", "evaluate"].map((name) => `mean_teacher/${name}`),
      ],
    );
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
    // Of random features a second stage makes scores that are nearly the same: torch and the exported model then keep other boxes.
    Object.assign(project.config.detector, { backbone: "tf_efficientnet_lite0", backbone_weights: "imagenet" });
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

describe("a run with a gate that is not passed", function () {
  this.timeout(300_000);
  let project: Project;

  before(async () => {
    project = await makeProject();
    project.config.arms = ["class_agnostic"];
    project.config.stages.pseudo_label = {
      ...project.config.stages.pseudo_label,
      held_out: 0.5,
      select: { score_threshold: { policy: "auto", beta: 3 }, max_per_image: 4 },
    };
    project.config.stages.warmup = { ...project.config.stages.warmup, rounds: 2 };
    project.config["gates"] = {
      min_average_recall: 1,
      override: [
        "min_precision",
        "min_recall",
        "max_calibration_error",
        "min_pseudo_labels",
        "min_box_ratio",
        "max_empty_share",
        "max_box_ratio",
        "max_kept_share",
        "max_full_share",
        "max_capped_share",
        "max_collapse",
      ],
    };
    await project.writeConfig();
  });
  after(() => project.remove());

  it("stops before the unlabeled images are predicted, and says why", async () => {
    const { code, stdout, stderr } = await cassl(["run", project.configFile]).finished;
    const output = stdout + stderr;
    assert.equal(code, 3);
    assert.match(
      stderr,
      /average recall .* 3 held-out images .*; below the limit 1\..*--override-gate min_average_recall/s,
    );
    assert.match(output, /predict_held_out +done/);
    assert.doesNotMatch(output, /class_agnostic\/predict +done/);
  });

  it("goes on with the gate overridden, reuses what was done, and says so in result and report", async () => {
    const finished = await cassl(["run", project.configFile, "--override-gate", "min_average_recall"]).finished;
    const result = await resultOf(finished);
    const gates = result.gates.filter(({ name }) => name === "min_average_recall");
    assert.deepEqual(
      gates.map(({ scope, passed, overridden }) => [scope, passed, overridden]),
      [
        ["class_agnostic", false, true],
        ["class_agnostic/round_2", false, true],
      ],
    );
    assert.ok(result.steps.find(({ name }) => name === "class_agnostic/choose_threshold")?.reused);
    const report = await readFile(join(finished.stdout.trimEnd().split("\n").at(-1) ?? "", "../report.md"), "utf8");
    assert.match(report, /Gate min_average_recall of class_agnostic was overridden/);
  });

  it("warms up twice, each time on labels of the last model, and counts both", async () => {
    const result = await resultOf(
      await cassl(["run", project.configFile, "--override-gate", "min_average_recall"]).finished,
    );
    const [arm] = result.arms;
    assert.deepEqual([arm?.total_iterations, arm?.rounds.length], [16, 2]);
    assert.notEqual(arm?.rounds[0]?.pseudo_labels.sha256, arm?.rounds[1]?.pseudo_labels.sha256);
    assert.ok(arm?.rounds.every(({ quality }) => quality?.threshold.images === 3));
    assert.ok(result.steps.some(({ name }) => name === "class_agnostic/round_2/warmup"));
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
    project.config.stages.warmup["solver"] = { iterations: 100, checkpoint_every_iterations: 5 };
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
