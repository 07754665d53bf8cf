/** How each command that the documentation shows is held against what cassl does. */

/** A command that ends in seconds is run on data that commands.test.ts makes; `prints` is of its standard output. */
interface Run {
  readonly prints: RegExp;
}
/** One that takes longer, or needs what the test has not, is what a test elsewhere does. */
interface Test {
  readonly file: string;
  readonly name: string;
}
/** One of another program, or of hardware that is not here, is not run; why. */
interface Not {
  readonly because: string;
}
export type Coverage = Run | Test | Not;

const SERVE: Test = { file: "test/integration/serve.test.ts", name: "runs what is submitted, and watch replays it" };
const SECURE: Test = { file: "test/integration/security.test.ts", name: "does a run that is submitted from elsewhere" };
const RUN: Test = { file: "test/integration/run.test.ts", name: "trains both arms at the same number of iterations" };
const TRACKER: Test = { file: "test/ts/cli/tracker.test.ts", name: "passes a run on to its end, and says where it is" };
const WEBHOOK: Test = { file: "test/ts/cli/webhook.test.ts", name: "is told of each run of a controller" };
const CURVES: Test = { file: "test/ts/cli/tensorboard.test.ts", name: "hold a version, and a scalar for each loss" };
const SWEEP: Test = { file: "test/ts/sweep/sweep.test.ts", name: "stops trials that fall behind" };
const COMPOSE: Test = { file: "test/faults/hybrid.test.ts", name: "finishes a run, though a worker is cut off" };
const KEYS: Test = { file: "test/ts/docker/docker.test.ts", name: "writes all that compose asks for, and no root" };
const BENCHES: Test = { file: "test/ts/docs/benchmarks.test.ts", name: "names every benchmark and nothing else" };
const INSTALLED: Test = {
  file: "test/integration/package.test.ts",
  name: "run from a folder that holds nothing but a configuration and its data",
};
const WHEEL: Test = { file: "test/integration/package.test.ts", name: "have a worker of their version, as a wheel" };
const VERBS: Not = { because: "a daily verb, which CI and people run" };

/** The first that matches counts. Each must be of some command. */
export const COVERAGE: readonly (readonly [RegExp, Coverage])[] = [
  [/^npx cassl init/, { prints: /^Wrote / }],
  [/^npx cassl check cassl\.yaml/, { prints: /in order/ }],
  [/^npx cassl check /, { prints: /images, \d+ objects/ }],
  [/^npx cassl convert /, { prints: /^Wrote / }],
  [/^npx cassl curate /, { prints: /unlabeled/ }],
  [/^npx cassl split /, { prints: /./ }],
  [/^npx cassl plan (?!.*--probe)/, { prints: /warmup/ }],
  [/^npx cassl rank/, { prints: /class_agnostic/ }],
  [/^npx cassl report /, { prints: /report\.html/ }],
  [/^npx cassl select /, { prints: /class_agnostic: 3 predictions/ }],
  [/^npx cassl labels export /, { prints: /./ }],
  [/^npx cassl labels import /, { prints: /./ }],
  [/^npx cassl eval /, { prints: /AP/ }],
  [/^npx cassl predict /, { prints: /./ }],
  [/^npx cassl runs$/, { prints: /cells-a/ }],
  [/^npx cassl runs .*running/, { prints: /^/ }],
  [/^npx cassl workers/, { prints: /^/ }],
  [/^npx cassl token create/, { prints: /./ }],
  [/^npx cassl completion /, { prints: /cassl/ }],
  [/^npx cassl gc/, { prints: /./ }],
  [/^npx cassl certify/, { prints: /gives what torch gave/ }],
  [/^npx cassl health .*--tls/, COMPOSE],
  [/^npx cassl health/, { prints: /serving/ }],
  [/^npx cassl plan .*--probe/, { file: "test/ts/controller/planner.test.ts", name: "probe" }],
  [/^npx cassl doctor/, { file: "test/ts/cli/commands.test.ts", name: "doctor" }],
  [/--(mlflow|wandb)\b/, TRACKER],
  [/--webhook\b/, WEBHOOK],
  [/--tensorboard\b/, CURVES],
  [/^npx cassl run /, RUN],
  [/^npx cassl compare /, { file: "test/integration/compare.test.ts", name: "compares the arms seed by seed" }],
  [/^npx cassl sweep /, SWEEP],
  [/^npx cassl serve .*--tls/, SECURE],
  [/^npx cassl submit .*--tls/, SECURE],
  [/^npx cassl (serve|submit|watch|cancel|retry)/, SERVE],
  [/^cassl-worker .*--tls/, SECURE],
  [/^cassl-worker /, { file: "test/faults/faults.test.ts", name: "is labeled faster when a second worker comes" }],
  [/^npm run bench/, BENCHES],
  [/^npm run (demo|docs|package|fresh-machine|test:detectron2)|^npm test/, VERBS],
  [/npm run test:detectron2/, VERBS],
  [/^npm install \/path/, INSTALLED],
  [/^python3 -m venv/, { file: "test/integration/package.test.ts", name: "say what installs the worker" }],
  [/^pip install .*(whl|worker-py)/, WHEEL],
  [/^pip install /, { because: "pip fetches packages from a network" }],
  [/-m pip install .*detectron2/, { because: "pip fetches sources from a network" }],
  [/cassl_worker\.detectron2_probe/, { file: "test/py/detectors/test_detectron2.py", name: "def test_probe" }],
  [
    /cassl_worker\.deployment/,
    { file: "test/py/test_deployment.py", name: "def test_command_adds_it_to_an_exported_detector" },
  ],
  [
    /cassl_worker\.torchvision_weights/,
    { file: "test/py/test_torchvision_weights.py", name: "def test_command_writes" },
  ],
  [/^node scripts\/experiments\.mjs/, { file: "test/ts/docs/results.test.ts", name: "results" }],
  [/^node scripts\/measure-near-duplicates\.mjs/, { because: "it is made for a folder of a user's photos" }],
  [/^docker\/setup\.sh/, KEYS],
  [/^docker compose/, COMPOSE],
  [
    /^(docker|kubectl) /,
    { because: "no container engine is at hand; docker.test.ts holds the files against the sources" },
  ],
  [/^openssl req/, { file: "test/ts/docker/docker.test.ts", name: "makes a certificate for all names" }],
  [/^sbatch /, { file: "test/py/test_slurm.py", name: "def test_starts_a_worker" }],
  [/^ray start/, { file: "test/integration/ray.test.ts", name: "a labelling actor, a node" }],
];
