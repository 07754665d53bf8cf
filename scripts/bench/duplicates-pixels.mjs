/**
 * Looks into all images of a folder several times, or only decodes them, and prints one JSON line about it, for
 * `npm run bench -- duplicates`.
 *
 *     node scripts/bench/duplicates-pixels.mjs ours|sharp FOLDER
 */
import { readFile } from "node:fs/promises";
import sharp from "sharp";
import { mapConcurrently } from "../../dist/ts/core/concurrency.js";
import { findImages } from "../../dist/ts/data/images.js";
import { inspectAll } from "../../dist/ts/data/inspect-all.js";
import { IMAGES_AT_ONCE } from "../../dist/ts/data/inspect-image.js";
import { peakMb } from "./peak.mjs";

const TIMES = 8;
const WARM_UP = 30;

const work = { ours: inspect, sharp: decode };

const [who, folder] = process.argv.slice(2);
const photos = await findImages(folder);
const paths = Array.from({ length: TIMES }, () => photos).flat();
await work[who](photos.slice(0, WARM_UP));
const start = performance.now();
const before = process.cpuUsage();
await work[who](paths);
const { user, system } = process.cpuUsage(before);
const seconds = (performance.now() - start) / 1000;
console.log(
  JSON.stringify({ seconds, cpu_seconds: (user + system) / 1e6, peak_mb: peakMb(), value: paths.length / seconds }),
);

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
