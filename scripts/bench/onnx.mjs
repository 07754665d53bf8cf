/**
 * An exported model on image files: our decoding, resizing, runtime and choice of detections in worker threads, against
 * onnxruntime and Pillow in Python. Both use two cores, and take turns, because they share a machine.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { root, venvBin } from "../tools.mjs";
import { middlePair } from "./measure.mjs";

const IMAGES = 400;
const QUICK_IMAGES = 80;
const HERE = join(root, "scripts/bench");

export async function compare({ rounds, quick }) {
  const images = quick ? QUICK_IMAGES : IMAGES;
  const folder = mkdtempSync(join(tmpdir(), "cassl-bench-onnx-"));
  try {
    python("prepare", folder, String(images));
    const pairs = [];
    for (let round = 0; round < rounds; round++) {
      const theirs = JSON.parse(python("run", folder));
      const ours = JSON.parse(run(process.execPath, [join(HERE, "onnx-ours.mjs"), folder]));
      const [mine, other] = [ours, theirs].map(speed);
      console.log(
        `ours ${mine.toFixed(1)} images/s, Python ${other.toFixed(1)} images/s, ratio ${(mine / other).toFixed(3)}`,
      );
      pairs.push({ ours, theirs, ratio: mine / other });
    }
    const { ours, theirs, ratio } = middlePair(pairs);
    const measured = (one) => ({ seconds: one.seconds, peak_mb: one.peak_mb, value: speed(one), unit: "images/s" });
    const reference = { name: "onnxruntime and Pillow in Python", ...measured(theirs) };
    return [{ case: `light, ${images} JPEG files of 640 x 480`, ours: measured(ours), reference, ratio }];
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function speed({ images, seconds }) {
  return images / seconds;
}

function python(...args) {
  return run(venvBin("python"), [join(HERE, "onnx_reference.py"), ...args]);
}

function run(command, args) {
  const env = { ...process.env, PYTHONPATH: join(root, "worker-py") };
  return execFileSync(command, args, { env, encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] });
}
