/** The same code across processes: serve, submit, watch, cancel. */
import assert from "node:assert/strict";
import { addressOf, cassl, makeProject, type Project, type Running, resultOf } from "./project.js";

describe("cassl serve", function () {
  this.timeout(180_000);
  let project: Project;
  let server: Running;
  let address: string;

  before(async () => {
    project = await makeProject();
    project.config.arms = ["supervised"];
    await project.writeConfig();
    server = cassl(["serve", "--listen", "127.0.0.1:0", "--workspace", project.workspace, "--workers", "1"]);
    address = await addressOf(server);
  });
  after(async () => {
    server.child.kill("SIGTERM");
    await server.finished;
    await project.remove();
  });

  const at = (...args: string[]) => cassl([...args, "--controller", address]).finished;

  it("runs what is submitted, and watch replays it from the beginning", async () => {
    const submitted = await at("submit", project.configFile, "--run-id", "first");
    assert.equal(submitted.code, 0, submitted.stderr);
    const watched = await at("watch", "first");
    const result = await resultOf(watched);
    assert.equal(result.run, "first");
    const again = await at("watch", "first", "--json");
    assert.match(again.stdout, /"step_started":\{"step":"curate"/);
  });

  it("takes the same run id with the same configuration as the same run, and refuses another", async () => {
    assert.equal((await at("submit", project.configFile, "--run-id", "first")).code, 0);
    const other = await at("submit", project.configFile, "--run-id", "first", "--set", "seed=5");
    assert.notEqual(other.code, 0);
    assert.match(other.stderr, /first/);
  });

  it("cancels a run", async () => {
    const long = ["--set", "stages.finetune.solver.iterations=100000"];
    await at("submit", project.configFile, "--run-id", "long", ...long);
    const watching = cassl(["watch", "long", "--json", "--controller", address]);
    await watching.line((line) => line.includes("step_progress") && line.includes("finetune"));
    assert.equal((await at("cancel", "long")).code, 0);
    assert.equal((await watching.finished).code, 130);
  });

  it("tries a cancelled run again, and says what cannot be", async () => {
    const retried = await at("retry", "long", "--json");
    assert.deepEqual([retried.stdout, retried.code], ['{"run":"long"}\n', 0], retried.stderr);
    await at("cancel", "long");
    await at("watch", "long");
    const listed = await at("runs", "--state", "cancelled", "--json");
    assert.equal(listed.stdout.match(/"run":"long"/g)?.length, 1, listed.stdout);
    assert.match((await at("retry", "first")).stderr, /`first` has succeeded/);
  });

  it("says so when a run does not exist", async () => {
    const missing = await at("watch", "nothing");
    assert.match(missing.stderr, /nothing/);
    assert.notEqual(missing.code, 0);
  });

  it("says how to start a controller where none answers", async () => {
    const ended = await cassl(["watch", "first", "--controller", "127.0.0.1:9"]).finished;
    assert.match(ended.stderr, /cassl serve/);
    assert.equal(ended.code, 1);
  });
});
