/** Reading a large COCO annotation file, against `COCO(file)` of pycocotools. */
import { statSync } from "node:fs";
import { join } from "node:path";
import { root, ScriptError, venvBin } from "../tools.mjs";
import { cocoData } from "./coco-data.mjs";
import { median, printTable, takeTurns } from "./measure.mjs";

const SIZE = { iouType: "bbox", images: 100_000, classes: 80, annotations: 700_000, detections: 0 };
const QUICK_SIZE = { ...SIZE, images: 10_000, annotations: 70_000 };
const FIGURES = ["seconds", "cpu_seconds", "peak_mb", "value"];

export async function compare({ rounds, quick, references = ["pycocotools"] }) {
  if (references.join() !== "pycocotools") throw new ScriptError(`--references takes pycocotools, not ${references}.`);
  const size = quick ? QUICK_SIZE : SIZE;
  const { gt } = cocoData(size);
  const megabytes = statSync(gt).size / 1e6;
  const subjects = [
    { command: process.execPath, args: [join(root, "scripts/bench/readers-ours.mjs"), gt] },
    { command: venvBin("python"), args: [join(root, "scripts/bench/readers_reference.py"), gt] },
  ];
  const [ours, theirs] = (await takeTurns(subjects, rounds)).map((runs) => medians(runs, megabytes));
  if (ours.annotations !== theirs.annotations)
    throw new Error(`${ours.annotations} and ${theirs.annotations} are read.`);
  const name = `COCO file of ${megabytes.toFixed(0)} MB, ${size.annotations} annotations`;
  printTable([
    [name, "seconds", "of CPU", "peak MB", "MB/s"],
    ...[
      ["cassl", ours],
      ["pycocotools", theirs],
    ].map(([who, figures]) => [
      who,
      ...FIGURES.map((figure) => figures[figure].toFixed(figure.includes("seconds") ? 2 : 0)),
    ]),
  ]);
  return [{ case: name, ours, reference: { name: "pycocotools", ...theirs }, ratio: theirs.seconds / ours.seconds }];
}

function medians(runs, megabytes) {
  const of = (figure) => median(runs.map((run) => run[figure]));
  return {
    seconds: of("seconds"),
    cpu_seconds: of("cpu_seconds"),
    peak_mb: of("peak_mb"),
    value: megabytes / of("seconds"),
    unit: "MB/s",
    annotations: of("annotations"),
  };
}
