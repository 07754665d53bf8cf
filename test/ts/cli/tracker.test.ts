/** The Python process that speaks to MLflow, for real, with a store of files. */
import assert from "node:assert/strict";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { openTracker } from "../../../ts/cli/tracker.js";
import { choosePython } from "../../../ts/controller/worker-process.js";
import { Run, State } from "../../../ts/gen/cassl/v1/run.js";
import { eventAt, trainedTo } from "../report/example.js";

const RUN = Run.fromPartial({ run_id: "small-1", config_hash: "0123456789abcdef", config: { name: "small", seed: 3 } });
const STEP = "supervised/finetune";

describe("tracker", function () {
  // Importing MLflow takes seconds, and many where the machine is busy.
  this.timeout(120_000);
  let folder: string;
  let notes: string[];
  const environment = { ...process.env };
  const note = (text: string): void => void notes.push(text);
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "cassl-tracker-"));
    notes = [];
    process.env["MLFLOW_ALLOW_FILE_STORE"] = "true";
  });
  afterEach(async () => {
    process.env = { ...environment };
    await rm(folder, { recursive: true });
  });

  it("passes a run on to its end, and says where it is", async () => {
    const store = pathToFileURL(join(folder, "runs")).href;
    const tracker = await openTracker("mlflow", store, choosePython(undefined), note);
    tracker.begin?.(RUN);
    tracker.show(eventAt(1, trainedTo(STEP, 50, 100), 1));
    tracker.show(eventAt(2, { $case: "log", value: { level: "info", text: "no number" } }, 2));
    tracker.show(eventAt(3, { $case: "state_changed", value: { state: State.SUCCEEDED, error: undefined } }, 3));
    await tracker.finish?.();
    assert.deepEqual(notes, [`MLflow: ${store}`]);
    const files = await readdir(join(folder, "runs"), { recursive: true });
    const curve = files.find((file) => file.endsWith(join("metrics", STEP, "loss", "total")));
    assert.match(await readFile(join(folder, "runs", curve ?? ""), "utf8"), /^\d+ 0\.746\d+ 50\n$/);
    assert.equal(files.filter((file) => file.endsWith(join("params", "seed"))).length, 1);
  });

  it("is refused before any work where the library is missing", async () => {
    await mkdir(join(folder, "mlflow"));
    await writeFile(join(folder, "mlflow", "__init__.py"), "raise ImportError('there is no mlflow here')\n");
    process.env["PYTHONPATH"] = folder;
    await assert.rejects(openTracker("mlflow", "http://127.0.0.1:1", choosePython(undefined), note), {
      reason: "WORKER_INCOMPLETE",
      message: /MLflow cannot be used .*there is no mlflow here/,
      remedy: /cassl-worker\[tracking\]/,
    });
    await assert.rejects(openTracker("mlflow", "x", "/no-such-python", note), { reason: "WORKER_INCOMPLETE" });
  });

  it("that cannot open the run is a warning, and holds up nobody", async () => {
    delete process.env["MLFLOW_ALLOW_FILE_STORE"];
    const tracker = await openTracker("mlflow", pathToFileURL(folder).href, choosePython(undefined), note);
    tracker.begin?.(RUN);
    tracker.show(eventAt(1, trainedTo(STEP, 50, 100), 1));
    await tracker.finish?.();
    assert.match(notes.join("\n"), /^warning: MLflow is told no more: /);
  });
});
