/**
 * Makes the masks of one image again and again and prints one JSON line with the median time, for
 * `npm run bench -- instance-masks`.
 *
 *     node scripts/bench/instance-masks-ours.mjs outputs.f32 prototypes
 */
import { readFileSync } from "node:fs";
import { maskCounts } from "../../dist/ts/evaluation/onnx/instance-masks.js";
import { area, fromCompressed } from "../../dist/ts/masks/index.js";
import { median } from "./measure.mjs";
import { peakMb } from "./peak.mjs";

const REPEATS = 20;
const [file, kind] = process.argv.slice(2);
const bytes = readFileSync(file);
const numbers = new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
let used = 0;
const take = (count) => {
  used += count;
  return numbers.slice(used - count, used);
};
const boxes = take(400);
const prototypes = {
  ...{ kind: "prototypes", embeddings: take(3200), prototypes: take(32 * 160 * 160) },
  ...{ channels: 32, rows: 160, columns: 160 },
};
const masks = kind === "prototypes" ? prototypes : { kind, logits: take(100 * 28 * 28), classes: 1, side: 28 };
const [input, image] = [
  { widthPx: 640, heightPx: 640 },
  { widthPx: 640, heightPx: 480 },
];

const decode = () =>
  Array.from({ length: 100 }, (_, location) => {
    const box = boxes.subarray(4 * location, 4 * location + 4);
    return maskCounts(masks, { location, classIndex: 0, candidateXyxy: [...box], boxXyxy: [...box] }, input, image);
  });
const seconds = [];
for (let repeat = 0; repeat < REPEATS; repeat++) {
  const start = performance.now();
  decode();
  seconds.push((performance.now() - start) / 1000);
}
const found = decode().filter((counts) => counts !== undefined);
const pixels = found.reduce((sum, counts) => sum + area(fromCompressed({ size: [480, 640], counts })), 0);
console.log(JSON.stringify({ seconds: median(seconds), peak_mb: peakMb(), pixels }));
