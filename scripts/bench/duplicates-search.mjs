/**
 * Searches near-duplicates among random hashes with planted ones, fails unless all of these are found, and prints one JSON line about it,
 * for `npm run bench -- duplicates`.
 *
 *     node scripts/bench/duplicates-search.mjs series|copies IMAGES VALIDATION_IMAGES
 */
import { seededRandom } from "../../dist/ts/core/random.js";
import { FLIP_MASK, WORDS_PER_PICTURE } from "../../dist/ts/data/near-duplicates/picture-hash.js";
import { searchCopies, searchSeries } from "../../dist/ts/data/near-duplicates/search.js";
import { peakMb } from "./peak.mjs";

/** One of so many images is planted. */
const EVERY = 100;
const SERIES_BITS = 5;
const COPY_BITS = 10;
const WINDOWS = 16;

const { signal } = new AbortController();
const random = seededRandom(1);
const work = { series: findPlantedSeries, copies: findPlantedCopies };

const [kind, images, validation] = process.argv.slice(2).map((text, index) => (index === 0 ? text : Number(text)));
const { seconds, cpu_seconds, planted, found } = await work[kind]();
if (found !== planted) throw new Error(`${found} of ${planted} planted near-duplicates were found.`);
console.log(
  JSON.stringify({ seconds, cpu_seconds, peak_mb: peakMb(), value: found, unit: "planted near-duplicates found" }),
);

async function findPlantedSeries() {
  const pictures = randomPictures(images);
  const originals = new Map();
  for (let image = EVERY; image < images; image += EVERY) {
    const original = Math.floor(random() * image);
    plant(pictures, { to: image, from: original, bits: SERIES_BITS });
    originals.set(image, original);
  }
  const names = Array.from({ length: images }, (_, n) => `unlabeled/${String(n).padStart(9, "0")}.jpg`);
  const { result, ...times } = await timed(() => searchSeries(pictures, range(0, images), names, signal));
  const found = [...originals].filter(([image, original]) => result[image] === result[original]);
  return { ...times, planted: originals.size, found: found.length };
}

async function findPlantedCopies() {
  const pictures = randomPictures(images + validation);
  const originals = new Map();
  for (let image = EVERY; image < images; image += EVERY) {
    const original = images + Math.floor(random() * validation);
    const window = Math.floor(WINDOWS * random());
    const windows = random() < 0.5 ? { toWindow: window } : { fromWindow: window };
    plant(pictures, { to: image, from: original, bits: COPY_BITS, ...windows });
    originals.set(image, original);
  }
  const search = () => searchCopies(pictures, range(0, images), range(images, validation), signal);
  const { result, ...times } = await timed(search);
  const found = result.filter(({ suspect, candidates }) =>
    candidates.some(({ original }) => original === originals.get(suspect)),
  );
  return { ...times, planted: originals.size, found: found.length };
}

function randomPictures(count) {
  const pictures = new Uint32Array(new SharedArrayBuffer(4 * WORDS_PER_PICTURE * count));
  for (let word = 0; word < pictures.length; word++) pictures[word] = random() * 2 ** 32;
  // As in the hash of every picture.
  for (let word = 0; word < pictures.length; word += 2) pictures[word] |= 1;
  return pictures;
}

/** Makes the hash of one picture that of another but for at most so many bits; every other one as if it were mirrored. */
function plant(pictures, { to, toWindow = 0, from, fromWindow = 0, bits }) {
  const mask = random() < 0.5 ? FLIP_MASK : 0;
  const target = to * WORDS_PER_PICTURE + 2 * toWindow;
  const source = from * WORDS_PER_PICTURE + 2 * fromWindow;
  for (const half of [0, 1]) pictures[target + half] = pictures[source + half] ^ mask;
  const changes = Math.floor(random() * (bits + 1));
  for (let n = 0; n < changes; n++) pictures[target + (n & 1)] ^= 2 << (31 * random());
}

function range(first, count) {
  return Uint32Array.from({ length: count }, (_, n) => first + n);
}

async function timed(work) {
  const start = performance.now();
  const before = process.cpuUsage();
  const result = await work();
  const { user, system } = process.cpuUsage(before);
  return { seconds: (performance.now() - start) / 1000, cpu_seconds: (user + system) / 1e6, result };
}
