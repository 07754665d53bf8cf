/** `cassl compare` with a real Python worker, through the compiled CLI. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { ComparisonResult } from "../../ts/comparison/results.js";
import { cassl, type Finished, makeProject, type Project } from "./project.js";

async function comparisonOf({ code, stdout, stderr }: Finished): Promise<ComparisonResult> {
  assert.equal(code, 0, stdout + stderr);
  const file = stdout.trimEnd().split("\n").at(-1) ?? "";
  return JSON.parse(await readFile(file, "utf8")) as ComparisonResult;
}

describe("cassl compare with a real worker", function () {
  this.timeout(300_000);
  let project: Project;
  let finished: Finished;

  const compare = (...args: string[]) =>
    cassl(["compare", project.configFile, "--arms", "supervised,class_agnostic", "--resamples", "50", ...args]);

  before(async () => {
    project = await makeProject();
  });
  after(() => project.remove());

  it("goes on after an interruption, and compares the arms seed by seed", async () => {
    const first = compare("--seeds", "2", "--json");
    await first.line((line) => line.includes('"train"'));
    first.child.kill("SIGINT");
    assert.equal((await first.finished).code, 130);

    finished = await compare("--seeds", "2").finished;
    const { arms, comparison, runs } = await comparisonOf(finished);
    assert.equal(runs.length, 4);
    assert.deepEqual(
      arms.map(({ arm, seed, total_iterations }) => [arm, seed, total_iterations]),
      [
        ["supervised", 0, 12],
        ["class_agnostic", 0, 12],
        ["supervised", 1, 12],
        ["class_agnostic", 1, 12],
      ],
    );
    const [difference] = comparison.groups[0]?.differences ?? [];
    assert.deepEqual(difference?.seeds, [0, 1]);
    assert.match(finished.stdout, /class_agnostic .*supervised.*95 % interval/);
    assert.match(finished.stdout, /validation set has 4 images only/);
  });

  it("leaves a report that says the same, and does nothing twice", async () => {
    const again = await compare("--seeds", "2").finished;
    assert.equal(again.stdout, finished.stdout);
    const folder = dirname(finished.stdout.trimEnd().split("\n").at(-1) ?? "");
    for (const file of ["report.html", "report.md"]) {
      assert.match(await readFile(join(folder, file), "utf8"), /over supervised|against supervised/);
    }
  });

  it("leaves runs that `cassl rank` puts side by side, best first, without a warning", async () => {
    const { code, stdout, stderr } = await cassl(["rank", "--workspace", project.workspace, "--json"]).finished;
    const { arms, warnings } = JSON.parse(stdout) as { arms: { ap: number }[]; warnings: string[] };
    assert.deepEqual([code, stderr, arms.length, warnings], [0, "", 4, []]);
    assert.deepEqual(
      arms.map(({ ap }) => ap),
      arms.map(({ ap }) => ap).sort((a, b) => b - a),
    );
  });

  it("says before it trains anything that a share leaves a class without labels", async () => {
    const { code, stderr } = await compare("--fractions", "10,50").finished;
    assert.equal(code, 2);
    assert.match(stderr, /supervised, seed 0, 10 % of the labels: .*(red|blue)/);
    assert.doesNotMatch(stderr, /finetune/);
  });
});
