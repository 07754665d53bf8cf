import assert from "node:assert/strict";
import { choosePython } from "../../../ts/controller/worker-process.js";
import { parseConfig } from "../../../ts/pipeline/config.js";
import { configAt } from "../../../ts/sweep/configure.js";
import { startOptimizer } from "../../../ts/sweep/optimizer.js";
import { gridSize, type Point, parseSpace, probes } from "../../../ts/sweep/space.js";
import { ranked, type SweptTrial, shortened, sweep } from "../../../ts/sweep/sweep.js";

const annotated = (name: string) => ({ annotations: `${name}.json`, images: name });
const base = parseConfig({
  name: "test",
  arms: ["class_agnostic"],
  data: { labeled: annotated("train"), unlabeled: { images: ["more"] }, validation: annotated("val") },
  solver: { iterations: 90, lr_ramp_iterations: 9 },
});

describe("the space of a sweep", () => {
  it("has lists and ranges, which are of whole numbers if their ends are", () => {
    const text = `
      stages.warmup.rounds: [1, 2]
      solver.learning_rate: {min: 0.001, max: 0.01, log: true}
      stages.warmup.solver.iterations: {min: 100, max: 500, step: 100}`;
    assert.deepEqual(parseSpace(text, "space.yaml"), [
      { path: "stages.warmup.rounds", choices: [1, 2] },
      { path: "solver.learning_rate", low: 0.001, high: 0.01, step: 0, log: true, integer: false },
      { path: "stages.warmup.solver.iterations", low: 100, high: 500, step: 100, log: false, integer: true },
    ]);
  });

  const refused: [what: string, text: string, message: RegExp][] = [
    ["nothing", "", /space\.yaml/],
    ["no paths", "{}", /nothing to vary/],
    ["what is no YAML", "a: [", /not YAML/],
    ["no values", "stages.warmup.rounds: []", /rounds. has no values/],
    ["a lone value", "stages.warmup.rounds: 2", /rounds. is 2/],
    ["a range upside down", "solver.learning_rate: {min: 1, max: 0}", /range.*max/],
    ["a logarithmic range from 0", "solver.learning_rate: {min: 0, max: 1, log: true}", /range/],
    ["seeds", "seed: [1, 2]", /`seed` cannot be varied/],
    ["validation sets", "data.validation.images: [a, b]", /cannot be varied/],
    ["presets, which would change nothing", "detector.preset: [light, resnet18]", /cannot be varied/],
  ];
  for (const [what, text, message] of refused) {
    it(`refuses ${what}`, () =>
      assert.throws(() => parseSpace(text, "space.yaml"), { reason: "CONFIG_INVALID", message }));
  }

  it("is no grid with a range in it", () => {
    assert.equal(gridSize(parseSpace("a: [1, 2]\nb: [1, 2, 3]", "grid.yaml")), 6);
    assert.throws(() => gridSize(parseSpace("a: {min: 1, max: 2}", "grid.yaml")), { message: /`a` is a range/ });
  });
});

describe("the configuration of a trial", () => {
  it("has the values, those of the shared solver in every stage", () => {
    const config = configAt(base, {
      "solver.learning_rate": 0.01,
      "stages.warmup.rounds": 2,
      "stages.pseudo_label.select.score_threshold": 0.4,
      arms: ["class_specific"],
    });
    const { pseudo_label, warmup, finetune } = config.stages;
    assert.deepEqual(
      [pseudo_label, warmup, finetune].map(({ solver }) => solver.learning_rate),
      [0.01, 0.01, 0.01],
    );
    assert.equal(warmup.rounds, 2);
    assert.deepEqual(pseudo_label.select.score_threshold, { policy: "fixed", score: 0.4 });
    assert.deepEqual(config.arms, ["class_specific"]);
    assert.equal(base.stages.warmup.rounds, 1);
  });

  const refused: [what: string, point: Point, message: RegExp][] = [
    ["an unknown path", { "stages.warmup.round": 2 }, /Unknown key `stages\.warmup\.round`.*rounds/],
    ["a path into nothing", { "stages.warm.rounds": 2 }, /no `stages\.warm\.rounds`/],
    ["an unknown field of the solver", { "solver.speed": 2 }, /Unknown key.*speed/],
    ["a value of the wrong type", { "stages.warmup.rounds": "many" }, /rounds` is "many"/],
    ["several arms", { arms: ["supervised", "class_agnostic"] }, /one arm/],
    ["what every object inherits", JSON.parse('{"__proto__": 1}') as Point, /no `__proto__`/],
    ["a field of that", { "stages.__proto__.rounds": 2 }, /no `stages\.__proto__\.rounds`/],
  ];
  for (const [what, point, message] of refused) {
    it(`refuses ${what}`, () => assert.throws(() => configAt(base, point), { reason: "CONFIG_INVALID", message }));
  }

  it("is tried at every choice and end of a range before anything runs", () => {
    const space = parseSpace("stages.warmup.rounds: [1, 2]\nsolver.learning_rate: {min: 1, max: 2}", "space.yaml");
    assert.deepEqual(probes(space), [
      { "stages.warmup.rounds": 1 },
      { "stages.warmup.rounds": 2 },
      { "solver.learning_rate": 1 },
      { "solver.learning_rate": 2 },
    ]);
  });

  it("has a share of the iterations on a rung", () => {
    const { warmup } = shortened(base, 1 / 3).stages;
    assert.deepEqual([warmup.solver.iterations, warmup.solver.lr_ramp_iterations], [30, 3]);
    assert.equal(shortened(base, 1), base);
    assert.deepEqual(parseConfig(shortened(base, 1 / 900)).stages.warmup.solver.iterations, 2);
  });
});

describe("a sweep", function () {
  this.timeout(60_000);
  const dimensions = parseSpace("a: [0, 1, 2]\nb: {min: 0, max: 1}", "space.yaml");

  async function swept(rungs: number, text?: string): Promise<SweptTrial[]> {
    const space = text === undefined ? dimensions : parseSpace(text, "grid.yaml");
    const reduction = rungs === 1 ? 1 : 3;
    const sampler = text === undefined ? "tpe" : "grid";
    const optimizer = startOptimizer(choosePython(undefined), { dimensions: space, sampler, seed: 1, reduction });
    const run = async ({ a, b = 0 }: Point, share: number, trial: number) => {
      if (trial === 1) return { failure: "a gate" };
      return { run: `run-${trial}-${share}`, ap: share * (Number(a) / 4 + Number(b) / 10) };
    };
    try {
      return await sweep(optimizer, { dimensions: space, trials: text === undefined ? 12 : 4, rungs, reduction, run });
    } finally {
      optimizer.close();
    }
  }

  it("stops trials that fall behind, and is the same when it is done again", async () => {
    const trials = await swept(3);
    assert.deepEqual(await swept(3), trials);
    const states = trials.map(({ state }) => state);
    assert.equal(states[1], "failed");
    assert.ok(states.includes("stopped") && states.includes("complete"), states.join());
    for (const { state, rungs, ap } of trials) {
      assert.equal(ap !== undefined, state === "complete");
      if (state === "complete")
        assert.deepEqual(
          rungs.map(({ share }) => share),
          [1 / 9, 1 / 3, 1],
        );
      if (state === "stopped") assert.ok(rungs.length === 1 || rungs.length === 2);
    }
    const best = ranked(trials)[0];
    assert.ok(trials.every(({ ap = 0 }) => ap <= (best?.ap ?? 0)));
  });

  it("tries each point of a grid once", async () => {
    const trials = await swept(1, "a: [0, 1]\nb: [0, 1]");
    const points = trials.map(({ point }) => [point["a"], point["b"]].join("")).sort();
    assert.deepEqual(points, ["00", "01", "10", "11"]);
    assert.deepEqual(trials.filter(({ state }) => state === "complete").length, 3);
  });

  it("says how to get the optimiser where the Python has none", async () => {
    const optimizer = startOptimizer("/nowhere/python", { dimensions, sampler: "tpe", seed: 1, reduction: 3 });
    await assert.rejects(optimizer.ask(), { reason: "WORKER_INCOMPLETE", remedy: /sweep/ });
    optimizer.close();
  });
});
