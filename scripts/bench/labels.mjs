/**
 * Selection of pseudo labels from stored predictions: score threshold, NMS and the best of each image, from Parquet shards to one
 * Parquet file. Beside it the same in pyarrow, numpy and torchvision, image by image, which must select the same boxes.
 */
import { join } from "node:path";
import { root, ScriptError, venvBin } from "../tools.mjs";
import { boxData } from "./labels-data.mjs";
import { median, printTable, takeTurns } from "./measure.mjs";

/** torchvision takes minutes for tens of millions of boxes. */
const MOST_REFERENCE_BOXES = 10_000_000;

const GROWTH = [1_000_000, 2_000_000, 5_000_000, 10_000_000, 20_000_000];

export async function compare({ rounds, quick, references = ["torchvision"], boxes = quick ? 256_000 : 2_000_000 }) {
  const unknown = references.find((name) => name !== "torchvision");
  if (unknown) throw new ScriptError(`--references takes torchvision, not ${unknown}.`);
  const comparisons = [await compareSize(Math.min(boxes, MOST_REFERENCE_BOXES), rounds, references)];
  if (boxes > MOST_REFERENCE_BOXES) comparisons.push(await compareSize(boxes, 1, []));
  printTable([
    ["", "seconds", "CPU s", "M boxes/s", "peak MB", "torchvision", "CPU s", "peak MB", "ratio"],
    ...comparisons.map(({ case: name, ours, reference, ratio }) => [
      name,
      ...cells(ours),
      ...referenceCells(reference, ratio),
    ]),
  ]);
  return comparisons;
}

export async function grow() {
  const results = [];
  for (const size of GROWTH) {
    const { ours } = await compareSize(size, 1, []);
    results.push({ case: "selection, boxes", size, seconds: ours.seconds, peak_mb: ours.peak_mb });
  }
  return results;
}

async function compareSize(boxes, rounds, references) {
  const folder = await boxData(boxes);
  const subjects = [
    { command: process.execPath, args: [join(root, "scripts/bench/labels-ours.mjs"), folder] },
    ...references.map(() => ({
      command: venvBin("python"),
      args: [join(root, "scripts/bench/labels_reference.py"), folder],
    })),
  ];
  const [ours, reference] = (await takeTurns(subjects, rounds)).map((runs) => summary(boxes, runs));
  const name = `${boxes / 1e6} M boxes`;
  if (!reference) return { case: name, ours: published(ours), reference: null, ratio: null };
  if (ours.digest !== reference.digest) throw new ScriptError(`torchvision selects other boxes of ${folder}.`);
  const theirs = { name: "torchvision", ...published(reference) };
  return { case: name, ours: published(ours), reference: theirs, ratio: reference.seconds / ours.seconds };
}

function summary(boxes, runs) {
  const seconds = median(runs.map((run) => run.seconds));
  const peak_mb = median(runs.map((run) => run.peak_mb));
  const cpu_seconds = median(runs.map((run) => run.cpu_seconds));
  return { seconds, cpu_seconds, peak_mb, digest: runs[0].digest, value: boxes / seconds, unit: "boxes/s" };
}

function published({ digest: _, ...numbers }) {
  return numbers;
}

function cells({ seconds, cpu_seconds, value, peak_mb }) {
  return [seconds.toFixed(2), cpu_seconds.toFixed(1), (value / 1e6).toFixed(2), peak_mb.toFixed(0)];
}

function referenceCells(reference, ratio) {
  if (!reference) return ["-", "-", "-", "-"];
  return [
    reference.seconds.toFixed(2),
    reference.cpu_seconds.toFixed(1),
    reference.peak_mb.toFixed(0),
    ratio.toFixed(1),
  ];
}
