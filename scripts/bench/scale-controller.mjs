/**
 * A controller with one prediction of many images. Started by scale.mjs.
 *
 *     node scripts/bench/scale-controller.mjs IMAGES BOXES SECONDS
 *
 * Prints its address, waits for a line, and prints JSON when the prediction is done and its account is closed, or after so
 * many seconds.
 */
import { once } from "node:events";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { createInterface } from "node:readline";
import { openWorkbench } from "../../dist/test/ts/controller/workbench.js";
import { storeLines } from "../../dist/ts/data/json-lines.js";
import { manifestRecords } from "../../dist/ts/data/manifest.js";
import { PredictTask } from "../../dist/ts/gen/cassl/v1/task.js";
import { peakMb } from "./peak.mjs";

const SHARD_SIZE = 64;
const TASK_ID = "a".repeat(64);
const [imageCount, boxes, mostSeconds] = process.argv.slice(2).map(Number);

/** Lines of unlabeled images, as curation leaves them. */
function* images() {
  for (let id = 1; id <= imageCount; id++) {
    const number = String(id).padStart(12, "0");
    const sha256 = number.padStart(64, "0");
    yield { id, file_name: `unlabeled/${number}.jpg`, sha256, width_px: 640, height_px: 480, annotations: [] };
  }
}

function records() {
  return manifestRecords({
    categories: [{ id: 1, name: "object" }],
    images: { length: imageCount, [Symbol.iterator]: images },
  });
}

const bench = await openWorkbench();
const manifest = await storeLines(bench.artifacts, records);
const value = PredictTask.fromPartial({
  detector: { family: "light" },
  weights: "b".repeat(64),
  class_count: 1,
  dataset: manifest.sha256,
  predict: { max_detections: boxes, shard_size: SHARD_SIZE },
});
const lines = createInterface({ input: process.stdin });
console.log(bench.address);
await once(lines, "line");

const submitted = performance.now();
const loadedImages = await bench.shards.imageCountOf(value);
const began = performance.now();
const cpuBefore = process.cpuUsage();
const delay = monitorEventLoopDelay({ resolution: 10 });
delay.enable();
const task = { kind: { $case: "predict", value } };
const request = { taskId: TASK_ID, task, imageRoot: "/none", imageCount: loadedImages };
const limit = AbortSignal.timeout(1000 * mostSeconds);
await bench.pool.tasks
  .submit(request, () => {}, limit)
  .catch((error) => {
    if (!limit.aborted) throw error;
  });
const isDone = !limit.aborted;
const seconds = (performance.now() - began) / 1000;
const { user, system } = process.cpuUsage(cpuBefore);
if (isDone) await bench.shards.settle(TASK_ID, value);
const shards = bench.state.shardsOf(TASK_ID);
const total = (count) => shards.reduce((sum, shard) => sum + count(shard), 0);
const stored = await Promise.all(shards.map(({ sha256 }) => bench.artifacts.stat(sha256)));
const { repeated, refused } = bench.tally.total;
const result = {
  is_done: isDone,
  seconds,
  preparation_seconds: (began - submitted) / 1000,
  cpu_seconds: (user + system) / 1e6,
  images_committed: total(({ image_count }) => image_count),
  shards: shards.length,
  repeated,
  refused: Object.values(refused).reduce((sum, count) => sum + count, 0),
  leases: bench.state.latestAttempt(TASK_ID),
  wire_bytes: total(({ image_count, box_count }) => 8 * image_count + 24 * box_count),
  stored_bytes: stored.reduce((sum, ref) => sum + (ref?.size_bytes ?? 0), 0),
  manifest_bytes: manifest.size_bytes,
  loop_delay_ms: { p50: delay.percentile(50) / 1e6, p99: delay.percentile(99) / 1e6, most: delay.max / 1e6 },
  peak_mb: peakMb(),
};
process.on("SIGTERM", async () => {
  await bench.close();
  process.exit(0);
});
console.log(JSON.stringify(result));
