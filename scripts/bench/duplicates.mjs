/**
 * Times curation where it must keep up with millions of images: the searches for near-duplicates among 3.6 million hashes with planted
 * ones, all of which must be found, and looking into image files next to a loop that only decodes them.
 *
 *     node scripts/bench/duplicates.mjs [--images 3600000] [--only series,leaks,pixels] [--json FILE]
 */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import sharp from "sharp";
import { mapConcurrently } from "../../dist/ts/core/concurrency.js";
import { seededRandom } from "../../dist/ts/core/random.js";
import { inspectAll } from "../../dist/ts/data/inspect-all.js";
import { FLIP_MASK, WORDS_PER_PICTURE } from "../../dist/ts/data/near-duplicates/picture-hash.js";
import { searchCopies, searchSeries } from "../../dist/ts/data/near-duplicates/search.js";
import { main, root, ScriptError } from "../tools.mjs";

const VALIDATION = 5000;
/** One of so many images is a near-duplicate of an earlier one, or of a validation image. */
const PLANTED = 100;
const SERIES_BITS = 5;
const COPY_BITS = 10;

const PHOTOS = 120;
const PHOTO_PX = [640, 480];
const ROUNDS = 9;
const IMAGES_AT_ONCE = 4;

const { signal } = new AbortController();

/**
 * @param parts some of `series`, `leaks`, `pixels`.
 * @returns results `{ bench, case, ours, reference, ratio }`; a ratio above 1 is good.
 */
export async function benchDuplicates({ images, parts }) {
  const results = [];
  const planted = parts.some((part) => part !== "pixels") ? plantedHashes(images) : undefined;
  if (parts.includes("series")) results.push(await benchSeries(images, planted));
  if (parts.includes("leaks")) results.push(await benchLeaks(images, planted));
  if (parts.includes("pixels")) results.push(await benchPixels());
  return results;
}

function benchSeries(images, { pictures, copies }) {
  const names = Array.from({ length: images }, (_, n) => `unlabeled/${String(n).padStart(9, "0")}.jpg`);
  return timedSearch(`all near-duplicates among ${images} images`, 60, async () => {
    const series = await searchSeries(pictures, positions(0, images), names, signal);
    return [...copies].every(([copy, original]) => series[copy] === series[original]);
  });
}

function benchLeaks(images, { pictures, leaks }) {
  return timedSearch(`${images} images against ${VALIDATION} validation images`, 600, async () => {
    const found = await searchCopies(pictures, positions(0, images), positions(images, VALIDATION), signal);
    const pairs = new Set(
      found.flatMap(({ suspect, candidates }) => candidates.map(({ original }) => `${suspect} ${original}`)),
    );
    return [...leaks].every(([suspect, original]) => pairs.has(`${suspect} ${original}`));
  });
}

function positions(first, count) {
  return Uint32Array.from({ length: count }, (_, n) => first + n);
}

/** Random hashes of all windows, validation images last. `copies` and `leaks` map planted ones to what they are like. */
function plantedHashes(images) {
  const random = seededRandom(1);
  const pictures = new Uint32Array(new SharedArrayBuffer(4 * WORDS_PER_PICTURE * (images + VALIDATION)));
  for (let word = 0; word < pictures.length; word++) pictures[word] = random() * 2 ** 32;
  const copies = new Map();
  const leaks = new Map();
  const plant = (to, toWindow, from, fromWindow, bits) => {
    const mask = random() < 0.5 ? FLIP_MASK : 0;
    const [target, source] = [to * WORDS_PER_PICTURE + 2 * toWindow, from * WORDS_PER_PICTURE + 2 * fromWindow];
    for (const half of [0, 1]) pictures[target + half] = pictures[source + half] ^ mask;
    for (let n = 0; n < bits; n++) pictures[target + (n & 1)] ^= 1 << (32 * random());
  };
  for (let image = PLANTED; image < images; image += PLANTED) {
    const original = Math.floor(random() * (image - 1));
    plant(image, 0, original, 0, Math.floor(random() * (SERIES_BITS + 1)));
    copies.set(image, original);
    const validation = images + Math.floor(random() * VALIDATION);
    const window = Math.floor(16 * random());
    const [suspectWindow, validationWindow] = random() < 0.5 ? [window, 0] : [0, window];
    // The whole picture of a copy is taken already.
    const suspect = image - 1;
    plant(suspect, suspectWindow, validation, validationWindow, Math.floor(random() * (COPY_BITS + 1)));
    leaks.set(suspect, validation);
  }
  return { pictures, copies, leaks };
}

async function timedSearch(name, limitSeconds, search) {
  const start = performance.now();
  if (!(await search())) throw new ScriptError(`${name}: planted near-duplicates were not found.`);
  const seconds = (performance.now() - start) / 1000;
  const reference = { name: "limit", seconds: limitSeconds, peak_mb: 2000 };
  return {
    bench: "duplicates",
    case: name,
    ours: { seconds, peak_mb: peakMb() },
    reference,
    ratio: limitSeconds / seconds,
  };
}

/** In turns, so that both see the same machine; the best round of each counts. */
async function benchPixels() {
  const paths = await photos();
  const context = { maxPixels: 1e8, signal, onProgress: () => {} };
  const rounds = { ours: [], bare: [] };
  for (let round = 0; round < ROUNDS; round++) {
    rounds.bare.push(await secondsOf(() => mapConcurrently(paths, IMAGES_AT_ONCE, decode)));
    rounds.ours.push(await secondsOf(() => inspectAll(paths.map(candidate), context)));
  }
  const measured = (seconds) => ({ seconds, value: paths.length / seconds, unit: "images/s" });
  const ours = measured(Math.min(...rounds.ours));
  const reference = { name: "sharp, decoding only", ...measured(Math.min(...rounds.bare)) };
  const name = `looking into ${paths.length} JPEG files of ${PHOTO_PX.join(" x ")} px`;
  return { bench: "duplicates", case: name, ours, reference, ratio: ours.value / reference.value };
}

async function decode(path) {
  await sharp(await readFile(path), { failOn: "truncated" })
    .raw()
    .toBuffer();
}

function candidate(path) {
  return { split: "unlabeled", path, file_name: path };
}

async function secondsOf(work) {
  const start = performance.now();
  await work();
  return (performance.now() - start) / 1000;
}

/** Pictures as hard to decode as photos: coarse spots with noise on them. */
async function photos() {
  const folder = join(root, ".cassl/bench/photos");
  mkdirSync(folder, { recursive: true });
  const [width, height] = PHOTO_PX;
  return mapConcurrently([...Array(PHOTOS).keys()], 1, async (seed) => {
    const random = seededRandom(seed);
    const spots = Buffer.from(Uint8Array.from({ length: 40 * 30 * 3 }, () => 256 * random()));
    const smooth = await sharp(spots, { raw: { width: 40, height: 30, channels: 3 } })
      .resize(width, height, { fit: "fill" })
      .raw()
      .toBuffer();
    const grainy = smooth.map((value) => Math.min(255, Math.max(0, value + 24 * (random() - 0.5))));
    const path = join(folder, `${seed}.jpg`);
    await sharp(grainy, { raw: { width, height, channels: 3 } })
      .jpeg({ quality: 90 })
      .toFile(path);
    return path;
  });
}

function peakMb() {
  return Number(/VmHWM:\s+(\d+)/.exec(readFileSync("/proc/self/status", "utf8"))?.[1]) / 1024;
}

function describe({ case: name, ours, reference, ratio }) {
  const rate = ours.value === undefined ? [] : [`${ours.value.toFixed(0)} ${ours.unit}`];
  const memory = ours.peak_mb === undefined ? [] : [`peak ${ours.peak_mb.toFixed(0)} MB`];
  const other = reference.value?.toFixed(0) ?? `${reference.seconds} s`;
  const facts = [
    `${ours.seconds.toFixed(1)} s`,
    ...memory,
    ...rate,
    `${reference.name} ${other}`,
    `ratio ${ratio.toFixed(2)}`,
  ];
  return `${name}: ${facts.join(", ")}`;
}

await main(import.meta.url, async () => {
  const options = {
    images: { type: "string", default: "3600000" },
    only: { type: "string", default: "series,leaks,pixels" },
    json: { type: "string" },
  };
  const { values } = parseArgs({ options });
  const results = await benchDuplicates({ images: Number(values.images), parts: values.only.split(",") });
  for (const result of results) console.log(describe(result));
  if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(results, null, 2)}\n`);
});
