/** Selects with cassl from the predictions in a folder of labels-data.mjs. The last line of output is JSON. */
import { createHash } from "node:crypto";
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { writePseudoLabels } from "../../dist/ts/labels/pseudo-labels.js";
import { streamBoxes } from "../../dist/ts/labels/store.js";
import { peakMb } from "./peak.mjs";

const folder = process.argv[2];
const policy = JSON.parse(await readFile(new URL("./labels-policy.json", import.meta.url), "utf8"));
const artifacts = { path: async (name) => join(folder, name), read: async (name) => readFile(join(folder, name)) };
const out = join(folder, "selected-ours.parquet");
const start = performance.now();
const stats = await writePseudoLabels(out, { sha256: "manifest.json", size_bytes: 0 }, [], policy, artifacts);
const seconds = (performance.now() - start) / 1000;
const { user, system } = process.cpuUsage();
const peak_mb = peakMb();
const digest = createHash("sha256");
for await (const { image, x0, y0, x1, y1, score } of streamBoxes([out], false)) {
  const rows = new Float64Array(6 * image.length);
  for (let row = 0; row < image.length; row++)
    rows.set([image[row], x0[row], y0[row], x1[row], y1[row], score[row]], 6 * row);
  digest.update(new Uint8Array(rows.buffer));
}
await rm(out);
console.log(
  JSON.stringify({ seconds, cpu_seconds: (user + system) / 1e6, peak_mb, digest: digest.digest("hex"), stats }),
);
