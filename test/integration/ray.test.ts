/** Whole runs on a real Ray of two logical nodes: what is killed meanwhile, and what is said where the cluster is wrong. */
import assert from "node:assert/strict";
import { readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { seededRandom } from "../../ts/core/random.js";
import { cassl, eventsOf, makeProject, type Project, type Running, resultOf } from "./project.js";
import { createTestCluster, isRayInstalled, kill, type LogicalNode, type TestCluster } from "./ray-cluster.js";

interface Event {
  readonly step_started?: { step: string };
  readonly step_progress?: { step: string; train?: { iteration: number; processes: number } };
  readonly predictions_committed?: { images_in: number; images_committed: number };
  readonly log?: { text: string };
}

/** So many that a training is not over before what is killed in it is. */
const ITERATIONS = 150;
const HEAD = ["--num-cpus=0"];
const LAB = ["--num-cpus=2", "--labels=room=lab"];
const POLL_MS = 100;
const train = { workers: 2, labels: { room: "lab" } };
const predict = { workers: 2, min_workers: 1 };

describe("cassl run on Ray", function () {
  this.timeout(1_200_000);
  let project: Project;
  let cluster: TestCluster;
  let head: LogicalNode;
  let lab: LogicalNode;

  before(async function () {
    if (!isRayInstalled()) {
      console.log("skipped: Ray is not installed, see `npm test`");
      this.skip();
    }
    [project, cluster] = await Promise.all([makeProject(), createTestCluster()]);
    const { config } = project;
    Object.assign(config, { arms: ["class_agnostic"], executor: "ray" });
    for (const stage of Object.values(config.stages)) {
      stage["solver"] = { iterations: ITERATIONS, checkpoint_every_iterations: 20 };
    }
    await project.writeConfig();
    head = await cluster.startHead(HEAD);
    lab = await cluster.addNode(LAB);
  });
  after(async () => {
    await cluster?.stop();
    await project?.remove();
  });

  const run = (file: string): Running => cassl(["run", project.configFile, "--ray", file, "--json"]);

  it("ends right although a process of a training, a labelling actor, a node and the head are killed", async () => {
    const seed = Date.now() % 100_000;
    console.log(`      seed of the moments: ${seed}`);
    const random = seededRandom(seed);
    const running = run(await cluster.settings("all.yaml", { train, predict }));
    const trains = (step: string): Promise<string> =>
      running.line(trained(`class_agnostic/${step}`, 1 + Math.floor((random() * ITERATIONS) / 5)));

    await trains("pseudo_labeler");
    kill(lab.processes("ray::RayTrainWorker")[0] ?? 0);
    await running.line((line) => eventOf(line)?.step_started?.step === "class_agnostic/predict");
    const actor = await labellerOf(lab, running);
    await delay(2000 * random());
    kill(actor);
    await trains("warmup");
    await lab.kill();
    lab = await cluster.addNode(LAB);
    await trains("finetune");
    await head.kill();
    head = await cluster.startHead(HEAD);

    const finished = await running.finished;
    const result = await resultOf(finished);
    assert.deepEqual(
      result.arms.map(({ arm, total_iterations }) => [arm, total_iterations]),
      [["class_agnostic", 3 * ITERATIONS]],
    );
    const events = eventsOf(finished.stdout) as Event[];
    const accounts = events.flatMap(({ predictions_committed: account }) => account ?? []);
    assert.deepEqual(
      accounts.map(({ images_in, images_committed }) => [images_in, images_committed]),
      [
        [1, 1],
        [10, 10],
      ],
    );
    const starts = events.flatMap(({ log }) => (log?.text.startsWith("Training on") ? log.text : []));
    assert.ok(starts.length >= 6, "each training begins twice at least");
    assert.ok(starts.every((text) => text.includes("2 processes train together")));
    assert.ok(events.some(({ log }) => log?.text.includes("Attempt 1 ended")));
    assert.deepEqual(await readdir(cluster.storage), []);
  });

  it("trains on Ray, with as many processes as there is room for, what attached workers have labeled", async () => {
    project.config["executor"] = { train: "ray", predict: "local", export: "local" };
    project.config.stages.pseudo_label["predict"] = { score_threshold: 0.001, shard_size: 4 };
    for (const stage of ["warmup", "finetune"] as const) project.config.stages[stage]["solver"] = { iterations: 4 };
    await project.writeConfig();
    const file = await cluster.settings("hybrid.yaml", { train: { workers: 4, min_workers: 1 } });
    const finished = await run(file).finished;
    const result = await resultOf(finished);
    const fresh = result.steps.filter(({ reused }) => !reused).map(({ name }) => name);
    assert.ok(fresh.includes("class_agnostic/predict") && !fresh.includes("class_agnostic/pseudo_labeler"));
    const progress = (eventsOf(finished.stdout) as Event[]).flatMap(({ step_progress: it }) => it?.train ?? []);
    assert.deepEqual([...new Set(progress.map(({ processes }) => processes))], [2]);
  });

  it("names what is wrong with the cluster, with what to do", async () => {
    project.config.seed = 1;
    project.config["executor"] = "ray";
    await project.writeConfig();
    const faults: [string, object, RegExp][] = [
      ["unreachable", { address: "http://127.0.0.1:9" }, /RAY_UNREACHABLE.*does not answer at http:\/\/127\.0\.0\.1:9/],
      ["token", { token_file: "wrong" }, /RAY_TOKEN_REFUSED.*does not take the token/],
      ["lacking", { driver: { resources: { unicorn: 1 } }, pending_seconds: 1 }, /RAY_RESOURCES_MISSING.*1 unicorn/],
      ["unshared", { storage: "mock:///shared" }, /RAY_STORAGE_NOT_SHARED.*does not see what was written/],
    ];
    await writeFile(join(cluster.folder, "wrong"), "not the cluster's", { mode: 0o600 });
    for (const [name, settings, said] of faults) {
      const file = await cluster.settings(`${name}.yaml`, { train, predict, ...settings });
      const { code, stdout } = await run(file).finished;
      assert.match(stdout, said);
      assert.equal(code, 1);
    }
  });

  it("takes the cluster for sweeps as well", async () => {
    const grid = join(project.folder, "grid.yaml");
    await writeFile(grid, "solver.learning_rate: [0.001, 0.002]\n");
    const file = await cluster.settings("away.yaml", { address: "http://127.0.0.1:9" });
    const { code, stderr } = await cassl(["sweep", project.configFile, "--grid", grid, "--ray", file]).finished;
    assert.match(stderr, /Ray does not answer at http:\/\/127\.0\.0\.1:9/);
    assert.equal(code, 1);
  });
});

function eventOf(line: string): Event | undefined {
  return line.startsWith("{") ? (JSON.parse(line) as Event) : undefined;
}

function trained(step: string, iteration: number): (line: string) => boolean {
  return (line) => {
    const progress = eventOf(line)?.step_progress;
    return progress?.step === step && (progress.train?.iteration ?? 0) >= iteration;
  };
}

/** Waits for a process that labels on the node, other than those that are there now. */
async function labellerOf(node: LogicalNode, { child }: Running): Promise<number> {
  const earlier = new Set(node.processes("ray::MapWorker"));
  for (;;) {
    const pid = node.processes("ray::MapWorker").find((one) => !earlier.has(one));
    if (pid !== undefined) return pid;
    assert.equal(child.exitCode, null, "the run has ended before it labels");
    await delay(POLL_MS);
  }
}
