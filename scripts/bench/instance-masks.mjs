/**
 * From a model's outputs to the masks of 100 detections in an image of 640 x 480 px, as COCO's compressed runs: one thread
 * each, against torch and pycocotools, which most evaluations do it with.
 */
import { writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { root, ScriptError, venvBin } from "../tools.mjs";
import { median, printTable, takeTurns } from "./measure.mjs";

const MASKS = 100;
const IMAGE = { width: 640, height: 480 };
const CHANNELS = 32;
const GRID = 160;
const SIDE = 28;

export async function compare({ rounds, references = ["torch"] }) {
  if (references.join() !== "torch") throw new ScriptError(`--references takes torch, not ${references}.`);
  const file = join(tmpdir(), "cassl-bench-instance-masks.f32");
  writeFileSync(file, outputs());
  const comparisons = [];
  for (const kind of ["prototypes", "regions"]) {
    const subjects = [
      { command: process.execPath, args: [join(root, "scripts/bench/instance-masks-ours.mjs"), file, kind] },
      { command: venvBin("python"), args: [join(root, "scripts/bench/instance_masks_reference.py"), file, kind] },
    ];
    const [ours, theirs] = (await takeTurns(subjects, rounds)).map(medians);
    const name = `${kind}, ${MASKS} masks, ${IMAGE.width} x ${IMAGE.height} px`;
    printTable([
      [name, "ms an image", "masks/s", "pixels"],
      ...[
        ["cassl", ours],
        ["torch and pycocotools", theirs],
      ].map(([who, { seconds, value, pixels }]) => [who, (1000 * seconds).toFixed(1), value.toFixed(0), `${pixels}`]),
    ]);
    const reference = { name: "torch and pycocotools", ...theirs };
    comparisons.push({ case: name, ours, reference, ratio: theirs.seconds / ours.seconds });
  }
  return comparisons;
}

/** `seconds` are those of an image. */
function medians(runs) {
  const seconds = median(runs.map((run) => run.seconds));
  const peak = median(runs.map(({ peak_mb }) => peak_mb));
  return { seconds, peak_mb: peak, value: MASKS / seconds, unit: "masks/s", pixels: runs[0].pixels };
}

/** float32: boxes xyxy, embeddings, prototypes and region grids, one after the other; the input is 640 x 640 px. */
function outputs() {
  const random = generator(1);
  const between = (low, high) => low + (high - low) * random();
  const boxes = Array.from({ length: MASKS }, () => {
    const [width, height] = [30 + random() * between(0, 500), 30 + random() * between(0, 380)];
    const [x, y] = [between(0, IMAGE.width - width), between(0, IMAGE.height - height)];
    return [x, y, x + width, y + height];
  });
  const embeddings = Array.from({ length: MASKS * CHANNELS }, () => between(-1, 1));
  const waves = (side, longest) => {
    const [across, down, phase] = [between(-1, 1), between(-1, 1), between(0, 6)];
    const scale = longest / side;
    return Array.from({ length: side * side }, (_, at) =>
      Math.cos(scale * (across * (at % side) + down * Math.floor(at / side)) + phase),
    );
  };
  const prototypes = Array.from({ length: CHANNELS }, () => waves(GRID, 20));
  const regions = Array.from({ length: MASKS }, () => waves(SIDE, 5));
  return Buffer.from(Float32Array.from([boxes, embeddings, prototypes, regions].flat(2)).buffer);
}

function generator(seed) {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}
