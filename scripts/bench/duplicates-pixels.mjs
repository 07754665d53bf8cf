/**
 * Looks into all images of a folder, or only decodes them, and prints one JSON line about it, for `npm run bench -- duplicates`.
 *
 *     node scripts/bench/duplicates-pixels.mjs ours|sharp FOLDER
 */
import { readFile } from "node:fs/promises";
import sharp from "sharp";
import { mapConcurrently } from "../../dist/ts/core/concurrency.js";
import { findImages } from "../../dist/ts/data/images.js";
import { inspectAll } from "../../dist/ts/data/inspect-all.js";
import { peakMb } from "./peak.mjs";

const IMAGES_AT_ONCE = 4;
const WARM_UP = 30;

const work = { ours: inspect, sharp: decode };

const [who, folder] = process.argv.slice(2);
const paths = await findImages(folder);
await work[who](paths.slice(0, WARM_UP));
const start = performance.now();
await work[who](paths);
const seconds = (performance.now() - start) / 1000;
console.log(JSON.stringify({ seconds, peak_mb: peakMb(), value: paths.length / seconds }));

async function inspect(files) {
  const candidates = files.map((path) => ({ split: "unlabeled", path, file_name: path }));
  const { signal } = new AbortController();
  await inspectAll(candidates, { maxPixels: 1e8, signal, onProgress: () => {} });
}

async function decode(files) {
  await mapConcurrently(files, IMAGES_AT_ONCE, async (path) => {
    await sharp(await readFile(path), { failOn: "truncated" })
      .raw()
      .toBuffer();
  });
}
