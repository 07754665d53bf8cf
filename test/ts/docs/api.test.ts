/** docs/api.md: its program runs against a controller, and its table has every RPC. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { stringify } from "yaml";
import { type Controller, startController } from "../../../ts/controller/controller.js";
import { packageRoot } from "../../../ts/core/package.js";
import { ArtifactServiceService } from "../../../ts/gen/cassl/v1/artifact_service.js";
import { ControllerServiceService } from "../../../ts/gen/cassl/v1/controller_service.js";
import { makeCellsProject, workOn } from "../controller/cells-project.js";

describe("docs/api.md", function () {
  this.timeout(60_000);
  let folder: string;
  let page: string;
  let controller: Controller;

  before(async () => {
    // Inside the package, so that `import "cassl"` finds it.
    folder = await mkdtemp(join(packageRoot, "dist/docs-"));
    page = await readFile(join(packageRoot, "docs/api.md"), "utf8");
    await writeFile(join(folder, "cassl.yaml"), stringify(await makeCellsProject(folder)));
    const workspace = join(folder, ".cassl");
    controller = await startController({ workspace, host: "127.0.0.1", port: 0, childWorkers: 0, recover: "fail" });
    void workOn(controller.address);
  });
  after(async () => {
    await controller?.stop();
    await rm(folder, { recursive: true });
  });

  it("has programs that do what it says", async () => {
    const programs = Array.from(page.matchAll(/^```ts\n(.*?)^```$/gms), ([, text = ""]) => text);
    // They are TypeScript by an exclamation mark alone.
    await writeFile(join(folder, "page.mjs"), programs.join("\n").replaceAll("config.data!", "config.data"));
    const env = { ...process.env, CASSL_CONTROLLER: controller.address };
    const { stdout } = await promisify(execFile)(process.execPath, ["page.mjs"], { cwd: folder, env });
    assert.deepEqual(stdout.trimEnd().split("\n"), [
      "RUN_NOT_FOUND - `cassl runs` lists the runs there are.",
      "supervised: 900 iterations, class_agnostic: 900 iterations",
      "curate 1",
      "curate 3 unlabeled images, 0 seconds",
      "3 pseudo labels",
      "1 detections, AP 0",
      "32 bytes",
      "fake is at nothing",
    ]);
  });

  it("has lines for a terminal that do what they say", async () => {
    const lines = page.split("\n").filter((line) => line.startsWith("    $C "));
    const settings = page.split("\n").find((line) => line.startsWith("    U=")) ?? "";
    const expected: Record<string, RegExp> = {
      ListRuns: /^\{\}\s*$/,
      RetryRun: /The run `first` has succeeded.*ErrorInfo/s,
      WatchRun: /"sequence": "13".*"STATE_SUCCEEDED"/s,
      StreamPseudoLabels: /"unlabeled\/0\.png".*"boxXywh"/s,
      DrainWorker: /"workerId": "worker-1".*"draining": true/s,
      StatArtifact: /invalid_argument.*sha256/s,
    };
    assert.deepEqual(lines.map(commandOf), Object.keys(expected));
    for (const line of lines) {
      const script = `${settings}\n${line}`.replaceAll("127.0.0.1:7070", controller.address);
      assert.match(await answerOf(script), expected[commandOf(line)] as RegExp);
    }
  });

  /** `ListRuns` of `$C $U.ControllerService/ListRuns -d ...`. */
  function commandOf(line: string): string {
    return /\/(\w+) -d/.exec(line)?.[1] ?? "";
  }

  async function answerOf(script: string): Promise<string> {
    const path = `${join(packageRoot, "node_modules/.bin")}:${process.env["PATH"] ?? ""}`;
    const run = promisify(execFile)("sh", ["-c", script], { cwd: folder, env: { ...process.env, PATH: path } });
    const { stdout, stderr } = await run.catch((error: unknown) => error as { stdout: string; stderr: string });
    return `${stdout}\n${stderr}`;
  }

  it("names every RPC and nothing else", () => {
    const named = Array.from(page.matchAll(/^\| `(\w+)` \|/gm), ([, name]) => name);
    const services = [ControllerServiceService, ArtifactServiceService];
    const rpcs = services.flatMap((service) => Object.values(service).map(({ path }) => path.split("/").at(-1)));
    assert.deepEqual(named.sort(), rpcs.sort());
  });
});
