/**
 * Curation where it must keep up with millions of images: its searches among 3.6 million pictures, against limits, and looking into image
 * files, against a loop that only decodes them. Every planted near-duplicate must be found. The searches run once: they take long.
 */
import { join } from "node:path";
import { root, ScriptError } from "../tools.mjs";
import { median, printTable, takeTurns } from "./measure.mjs";
import { photoFolder } from "./photos.mjs";

const IMAGES = 3_600_000;
const VALIDATION = 5000;

const LIMIT = { name: "limit", seconds: 60, peak_mb: 2000 };

const searches = [
  { name: `series among ${IMAGES} images`, kind: "series" },
  { name: `${IMAGES} images against ${VALIDATION} validation images`, kind: "copies" },
];

const GROWTH = [225_000, 450_000, 900_000, 1_800_000, 3_600_000];

export async function compare({ rounds, quick, references = quick ? ["sharp"] : ["limit", "sharp"] }) {
  const unknown = references.find((name) => !["limit", "sharp"].includes(name));
  if (unknown) throw new ScriptError(`--references takes limit, sharp, not ${unknown}.`);
  const comparisons = [];
  if (references.includes("limit")) for (const search of searches) comparisons.push(await compareSearch(search));
  if (references.includes("sharp")) comparisons.push(await comparePixels(rounds));
  printTable([
    ["", "seconds", "of CPU", "peak MB", "reference", "seconds", "ratio"],
    ...comparisons.map(({ case: name, ours, reference, ratio }) => [
      name,
      ours.seconds.toFixed(1),
      ours.cpu_seconds.toFixed(1),
      ours.peak_mb.toFixed(0),
      reference.name,
      reference.seconds.toFixed(1),
      ratio.toFixed(2),
    ]),
  ]);
  return comparisons;
}

/** The search of curation that takes longest. */
export async function grow() {
  const subjects = GROWTH.map((images) => script("duplicates-search.mjs", "copies", images, VALIDATION));
  const results = await takeTurns(subjects, 1);
  return results.map(([{ seconds, peak_mb }], i) => ({
    case: `curation, images against ${VALIDATION} of validation`,
    size: GROWTH[i],
    seconds,
    peak_mb,
  }));
}

async function compareSearch({ name, kind }) {
  const [[ours]] = await takeTurns([script("duplicates-search.mjs", kind, IMAGES, VALIDATION)], 1);
  const { startup_seconds: _, ...published } = ours;
  return { case: name, ours: published, reference: LIMIT, ratio: LIMIT.seconds / ours.seconds };
}

async function comparePixels(rounds) {
  const folder = await photoFolder();
  const subjects = ["ours", "sharp"].map((who) => script("duplicates-pixels.mjs", who, folder));
  const [ours, bare] = (await takeTurns(subjects, rounds)).map((runs) => ({
    seconds: median(runs.map(({ seconds }) => seconds)),
    cpu_seconds: median(runs.map(({ cpu_seconds }) => cpu_seconds)),
    peak_mb: median(runs.map(({ peak_mb }) => peak_mb)),
    value: median(runs.map(({ value }) => value)),
    unit: "images/s",
  }));
  const reference = { name: "sharp, decoding only", ...bare };
  return { case: "looking into JPEG files", ours, reference, ratio: ours.value / bare.value };
}

function script(name, ...args) {
  return { command: process.execPath, args: [join(root, "scripts/bench", name), ...args.map(String)] };
}
