/**
 * Images a second of one worker that labels for a controller (decoding, inference, sending, committing), and of a bare loop
 * over the same images with the same model that sends nothing. They take turns, because they share a machine.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { root, ScriptError, venvBin } from "../tools.mjs";
import { middlePair } from "./measure.mjs";
import { peakMb } from "./peak.mjs";

const IMAGES = 320;
const QUICK_IMAGES = 96;
const REFERENCE = join(root, "scripts/bench/labelling_reference.py");
const ENV = { ...process.env, PYTHONPATH: join(root, "worker-py") };

export async function compare({ rounds, quick }) {
  const images = quick ? QUICK_IMAGES : IMAGES;
  const folder = mkdtempSync(join(tmpdir(), "cassl-bench-labelling-"));
  try {
    await python([REFERENCE, "prepare", folder, String(images)]);
    const pairs = [];
    for (let round = 0; round < rounds; round++) {
      const bare = JSON.parse(await python([REFERENCE, "loop", folder]));
      const ours = await label(folder, images);
      pairs.push({ ours, bare, ratio: ours.images_per_second / bare.images_per_second });
      const [mine, theirs] = [ours, bare].map(({ images_per_second }) => images_per_second.toFixed(1));
      console.log(`worker ${mine} images/s, bare loop ${theirs} images/s, ratio ${pairs.at(-1).ratio.toFixed(3)}`);
    }
    const middle = middlePair(pairs);
    return [
      {
        case: `${images} images`,
        ours: measured(middle.ours),
        reference: { name: "bare torch loop", ...measured(middle.bare) },
        ratio: middle.ratio,
      },
    ];
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function measured({ images_per_second, seconds, peak_mb }) {
  return { seconds, peak_mb, value: images_per_second, unit: "images/s" };
}

/** One worker process at a controller's parts on real sockets and files. Timed from the first commit. */
async function label(folder, images) {
  const { openWorkbench } = await import("../../dist/test/ts/controller/workbench.js");
  const { PredictTask } = await import("../../dist/ts/gen/cassl/v1/task.js");
  const bench = await openWorkbench();
  const worker = spawn(venvBin("python"), ["-m", "cassl_worker", "--controller", bench.address], {
    env: ENV,
    stdio: "ignore",
  });
  try {
    for (const name of ["manifest.jsonl", "weights"]) await bench.artifacts.put(readFileSync(join(folder, name)));
    const value = PredictTask.fromJSON(JSON.parse(readFileSync(join(folder, "task.json"), "utf8")));
    const request = {
      taskId: "bench",
      task: { kind: { $case: "predict", value } },
      imageRoot: folder,
      imageCount: images,
    };
    const marks = [];
    const note = (event) => {
      if (event.$case === "predict_progress") marks.push({ at: performance.now(), done: event.value.images_done });
    };
    await bench.pool.tasks.submit(request, note, new AbortController().signal);
    const [first, last] = [marks[0], marks.at(-1)];
    const seconds = (last.at - first.at) / 1000;
    return { images_per_second: (last.done - first.done) / seconds, seconds, peak_mb: peakMb(worker.pid) };
  } finally {
    worker.kill("SIGKILL");
    await once(worker, "exit");
    await bench.close();
  }
}

async function python(args) {
  const child = spawn(venvBin("python"), args, { env: ENV, stdio: ["ignore", "pipe", "inherit"] });
  let output = "";
  child.stdout.on("data", (chunk) => {
    output += chunk;
  });
  const [status] = await once(child, "close");
  if (status !== 0) throw new ScriptError(`${args.join(" ")} failed.`);
  return output;
}
