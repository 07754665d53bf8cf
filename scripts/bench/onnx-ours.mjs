/** Our side of `npm run bench -- onnx`: prints { seconds, peak_mb, images, detections } as JSON. Timed from the first batches on. */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { readModelMetadata } from "../../dist/ts/evaluation/onnx/model-metadata.js";
import { detectObjects } from "../../dist/ts/evaluation/onnx/session.js";
import { peakMb } from "./peak.mjs";

const [folder] = process.argv.slice(2);
const model = join(folder, "model.onnx");
const names = readdirSync(folder)
  .filter((name) => name.endsWith(".jpg"))
  .sort();
let first;
const found = await detectObjects({
  model,
  metadata: await readModelMetadata(model),
  imagePaths: names.map((name) => async () => join(folder, name)),
  onProgress(done) {
    first ??= { at: performance.now(), done };
  },
});
const seconds = (performance.now() - first.at) / 1000;
const detections = found.reduce((sum, { score }) => sum + score.length, 0);
console.log(JSON.stringify({ seconds, peak_mb: peakMb(), images: names.length - first.done, detections }));
