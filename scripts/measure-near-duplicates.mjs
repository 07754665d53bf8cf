/**
 * Measures the leak firewall on photos of yours: how many altered copies of validation images it finds, and how many photos it
 * keeps out that are none. Every other photo is a validation image; of a burst, half is.
 *
 *     node scripts/measure-near-duplicates.mjs FOLDER... [--only crop10,all] [--list]
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import sharp from "sharp";
import { mapConcurrently } from "../dist/ts/core/concurrency.js";
import { seededRandom } from "../dist/ts/core/random.js";
import { dropUnsound } from "../dist/ts/data/fates.js";
import { findLeaks } from "../dist/ts/data/firewall.js";
import { findImages } from "../dist/ts/data/images.js";
import { inspectAll } from "../dist/ts/data/inspect-all.js";
import { main } from "./tools.mjs";

const DISTANCES = [0.01, 0.02, 0.03, 0.04, 0.05, 0.07];
const MOST_BORDER = 0.1;

/** Each makes a copy of a photo. `size` is its width and height, `random` uniform in [0, 1). */
const ALTERATIONS = {
  jpeg50: { title: "JPEG at quality 50", alter: (photo) => photo.jpeg({ quality: 50 }) },
  half: { title: "half the size", alter: (photo, size) => scaled(photo, size, 0.5) },
  quarter: { title: "a quarter of the size", alter: (photo, size) => scaled(photo, size, 0.25) },
  double: { title: "twice the size", alter: (photo, size) => scaled(photo, size, 2) },
  flip: { title: "left-right flip", alter: (photo) => photo.flop() },
  crop5: { title: "5 % cut off at each border", alter: (photo, size) => cropped(photo, size, () => 0.05) },
  crop10: { title: "10 % cut off at each border", alter: (photo, size) => cropped(photo, size, () => 0.1) },
  crop: {
    title: "0 to 10 % cut off at each border",
    alter: (photo, size, random) => cropped(photo, size, () => MOST_BORDER * random()),
  },
  all: {
    title: "0 to 10 % cut off, 0.4 to 1 of the size, every other one flipped, JPEG 50",
    alter: async (photo, size, random) => {
      const part = await cropped(photo, size, () => MOST_BORDER * random()).toBuffer({ resolveWithObject: true });
      const smaller = scaled(sharp(part.data), part.info, 0.4 + 0.6 * random());
      return (random() < 0.5 ? smaller.flop() : smaller).jpeg({ quality: 50 });
    },
  },
};

function scaled(photo, { width }, factor) {
  return photo.resize(Math.max(1, Math.round(width * factor)));
}

function cropped(photo, { width, height }, border) {
  const [left, right, top, bottom] = [width, width, height, height].map((side) => Math.round(side * border()));
  return photo.extract({ left, top, width: width - left - right, height: height - top - bottom });
}

/** The distance of each suspect to the nearest validation image; none if there is no candidate. */
async function distances(suspects, originals) {
  const candidate = (split) => (path) => ({ split, path, file_name: path });
  const candidates = [...suspects.map(candidate("unlabeled")), ...originals.map(candidate("validation"))];
  const { signal } = new AbortController();
  const { images, pictures } = await inspectAll(candidates, { maxPixels: 1e8, signal, onProgress: () => {} });
  const leaks = await findLeaks(dropUnsound(images, "drop").kept, pictures, 1, signal);
  return leaks.map(({ suspect, original, distance }) => ({
    distance,
    pair: `${suspect.candidate.file_name} ${original.candidate.file_name}`,
  }));
}

async function alteredCopies(photos, { alter }, folder) {
  const random = seededRandom(1);
  return mapConcurrently([...photos.entries()], 1, async ([index, path]) => {
    const copy = join(folder, `${index}.jpg`);
    await (await alter(sharp(path), await sharp(path).metadata(), random)).toFile(copy);
    return copy;
  });
}

function share(found, count) {
  return DISTANCES.map((limit) => found.filter(({ distance }) => distance <= limit).length / count);
}

function row(title, shares) {
  return `| ${[title, ...shares.map((value) => (100 * value).toFixed(1))].join(" | ")} |`;
}

await main(import.meta.url, async () => {
  const options = { only: { type: "string" }, list: { type: "boolean" } };
  const { values, positionals } = parseArgs({ allowPositionals: true, options });
  const photos = (await Promise.all(positionals.map(findImages))).flat();
  const originals = photos.filter((_, index) => index % 2 === 0);
  const others = photos.filter((_, index) => index % 2 === 1);
  console.log(`| ${originals.length} photos; % found at distance | ${DISTANCES.join(" | ")} |`);
  console.log(`| --- |${" ---: |".repeat(DISTANCES.length)}`);
  for (const name of values.only?.split(",") ?? Object.keys(ALTERATIONS)) {
    const folder = mkdtempSync(join(tmpdir(), "cassl-copies-"));
    try {
      const copies = await alteredCopies(originals, ALTERATIONS[name], folder);
      const { title } = ALTERATIONS[name];
      console.log(row(title, share(await distances(copies, originals), originals.length)));
      if (name.startsWith("crop")) {
        console.log(
          row(`${title} of the validation image`, share(await distances(originals, copies), originals.length)),
        );
      }
    } finally {
      rmSync(folder, { recursive: true });
    }
  }
  const alarms = await distances(others, originals);
  console.log(row(`${others.length} other photos`, share(alarms, others.length)));
  if (values.list)
    for (const { distance, pair } of alarms.sort((a, b) => a.distance - b.distance)) console.log(distance, pair);
});
