/**
 * The COCO metric from files on disk, against the reference and the fast ones. All must give the same twelve numbers; `value`
 * is the first of them, and the ratio is of seconds. They are those of the work, without starting a process and importing. CPU
 * seconds are those of all threads; they vary less where other work shares the machine.
 */
import { join } from "node:path";
import { root, ScriptError, venvBin } from "../tools.mjs";
import { cocoData } from "./coco-data.mjs";
import { median, printTable, takeTurns } from "./measure.mjs";

const cases = [
  { name: "bbox", iouType: "bbox", images: 5000, classes: 80, annotations: 36_699, detections: 500_000 },
  { name: "segm", iouType: "segm", images: 500, classes: 80, annotations: 3500, detections: 15_000 },
];

const quickCases = [
  { name: "bbox", iouType: "bbox", images: 500, classes: 80, annotations: 3670, detections: 50_000 },
  { name: "segm", iouType: "segm", images: 150, classes: 80, annotations: 1050, detections: 4500 },
];

const GROWTH = [50_000, 100_000, 200_000, 500_000, 1_000_000];

const allReferences = ["pycocotools", "ultrafast-pycocotools", "hotcoco", "faster-coco-eval"];

/** Sums of as many numbers in another order differ in the last bits. */
const TOLERANCE = 1e-12;

export async function compare({ rounds, quick, references = quick ? ["pycocotools"] : allReferences }) {
  const unknown = references.find((name) => !allReferences.includes(name));
  if (unknown) throw new ScriptError(`--references takes ${allReferences.join(", ")}, not ${unknown}.`);
  const comparisons = [];
  for (const data of quick ? quickCases : cases) comparisons.push(...(await compareCase(data, references, rounds)));
  return comparisons;
}

/** Boxes, a hundred an image. */
export async function grow() {
  const sizes = GROWTH.map((detections) => ({
    ...cases[0],
    images: detections / 100,
    detections,
    annotations: detections / 10,
  }));
  const subjects = sizes.map((data) => ourSubject(data, cocoData(data)));
  const results = (await takeTurns(subjects, 1)).map((runs) => summary("cassl", runs));
  return results.map(({ seconds, peak_mb }, i) => ({
    case: "evaluator, detections",
    size: GROWTH[i],
    seconds,
    peak_mb,
  }));
}

async function compareCase(data, references, rounds) {
  const { gt, dt } = cocoData(data);
  const subjects = [
    ourSubject(data, { gt, dt }),
    ...references.map((name) => ({
      name,
      command: venvBin("python"),
      args: [join(root, "scripts/bench/coco_reference.py"), name, data.iouType, gt, dt],
    })),
  ];
  const results = (await takeTurns(subjects, rounds)).map((runs, i) => summary(subjects[i].name, runs));
  for (const result of results) checkAgreement(results[0], result);
  console.log(`\n${data.name}: ${data.detections} detections, ${data.annotations} annotations, ${data.images} images`);
  printTable([
    ["", "seconds", "CPU s", "start-up", "peak MB", "AP", "ratio", "CPU ratio"],
    ...results.map((result) => row(results[0], result)),
  ]);
  const [{ name: _, ...ours }, ...others] = results.map(published);
  return others.map((reference) => ({
    case: data.name,
    ours,
    reference,
    ratio: reference.seconds / ours.seconds,
  }));
}

function ourSubject({ iouType }, { gt, dt }) {
  const args = [join(root, "scripts/bench/coco-ours.mjs"), iouType, gt, dt];
  return { name: "cassl", command: process.execPath, args };
}

function summary(name, runs) {
  const medianOf = (member) => median(runs.map((run) => run[member]));
  return {
    name,
    seconds: medianOf("seconds"),
    cpu_seconds: medianOf("cpu_seconds"),
    startup_seconds: medianOf("startup_seconds"),
    peak_mb: medianOf("peak_mb"),
    stats: runs[0].stats,
  };
}

function checkAgreement(ours, other) {
  other.stats.forEach((value, i) => {
    if (Math.abs(value - ours.stats[i]) <= TOLERANCE) return;
    throw new ScriptError(`${other.name} gives ${value} as number ${i + 1} of 12, not ${ours.stats[i]}.`);
  });
}

function row(ours, { name, seconds, cpu_seconds, startup_seconds, peak_mb, stats }) {
  const ratios = [seconds / ours.seconds, cpu_seconds / ours.cpu_seconds].map((ratio) => ratio.toFixed(2));
  const times = [seconds.toFixed(3), cpu_seconds.toFixed(3), startup_seconds.toFixed(2)];
  return [name, ...times, peak_mb.toFixed(0), stats[0].toFixed(12), ...ratios];
}

function published({ name, seconds, peak_mb, stats }) {
  return { name, seconds, peak_mb, value: stats[0], unit: "AP" };
}
