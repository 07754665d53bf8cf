/** The scripts that users copy, on a small project with a real controller and worker. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { packageRoot } from "../../ts/core/package.js";
import { addressOf, cassl, makeProject, type Project, type Running } from "./project.js";

describe("examples", function () {
  this.timeout(300_000);
  let project: Project;
  let server: Running;
  let address: string;

  before(async () => {
    project = await makeProject();
    // All images in one folder, so that file names mean the same everywhere.
    await prefixNames("train");
    await prefixNames("unlabeled");
    Object.assign(project.config.data["labeled"] as object, { images: "." });
    project.config.arms = ["class_agnostic"];
    for (const stage of Object.values(project.config.stages)) stage["solver"] = { iterations: 2 };
    await project.writeConfig();
    server = cassl(["serve", "--listen", "127.0.0.1:0", "--workspace", project.workspace, "--workers", "1"]);
    address = await addressOf(server);
  });
  after(async () => {
    server.child.kill("SIGTERM");
    await server.finished;
    await project.remove();
  });

  async function prefixNames(set: string): Promise<void> {
    const file = join(project.folder, `${set}.json`);
    const coco = JSON.parse(await readFile(file, "utf8"));
    for (const image of coco.images) image.file_name = `${set}/${image.file_name}`;
    await writeFile(file, JSON.stringify(coco));
  }

  async function run(program: string, ...args: string[]): Promise<string[]> {
    const env = { ...process.env, CASSL_CONTROLLER: address, PYTHONPATH: join(packageRoot, "worker-py") };
    const { stdout } = await promisify(execFile)(program, args, { cwd: packageRoot, env });
    return stdout.trimEnd().split("\n");
  }
  const example = (name: string, ...args: string[]) =>
    run(process.execPath, `dist/scripts/examples/${name}.js`, project.configFile, ...args);

  it("sweep the number of labels", async () => {
    const [header, ...rows] = await example("label-fraction-sweep", "4", "6");
    assert.equal(header, "labeled\tclass_agnostic");
    assert.deepEqual(
      rows.map((row) => /^(\d+)\t\d+\.\d$/.exec(row)?.[1]),
      ["4", "6"],
    );
  });

  it("fine-tune one warm-up model into several detectors, and do only what differs", async () => {
    const lines = await example("transfer-warm-up");
    assert.deepEqual(
      lines.map((line) => line.split(":")[0]),
      ["as-configured", "expanded-predictor", "half-rate"],
    );
    for (const line of lines.slice(1)) assert.match(line, /done: class_agnostic\/finetune /);
    assert.ok(lines.slice(1).every((line) => !line.includes("warmup")));
  });

  it("learn actively: the labeled set grows by what was corrected", async () => {
    const lines = await example("active-learning", join(project.folder, "unlabeled.json"), "2", "3");
    assert.deepEqual(
      lines.map((line) => /^(\d+) labeled images: AP \d/.exec(line)?.[1]),
      ["6", "9"],
    );
    const chosen = JSON.parse(await readFile(join(project.folder, "to-correct-1.json"), "utf8"));
    assert.equal(chosen.length, 3);
    assert.match(chosen[0].file_name, /^unlabeled\/\d+\.jpg$/);
  });

  it("list the runs from Python, and say so where nobody answers", async () => {
    const python = join(packageRoot, ".venv/bin/python");
    const lines = await run(python, "scripts/examples/list_runs.py", address);
    assert.equal(lines.length, 7);
    for (const line of lines) assert.match(line, /^small-[a-z0-9-]+: class_agnostic AP \d+\.\d \(\d+ events\)$/);
    const failure = await run(python, "scripts/examples/list_runs.py", "127.0.0.1:9").catch((error: Error) => error);
    assert.match((failure as { stderr?: string }).stderr ?? "", /^UNAVAILABLE: /);
  });
});
