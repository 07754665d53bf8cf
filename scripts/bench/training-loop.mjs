/**
 * What the training loop costs over a bare one of the same model with its data in memory, and whether the loading of batches
 * keeps up with it.
 */
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { root, venvBin } from "../tools.mjs";

const SCRIPT = join(root, "scripts/bench/training_loop.py");
const TURNS_A_ROUND = 4;
const IMAGES_PER_BATCH = 8;

export async function compare({ rounds }) {
  const env = { ...process.env, PYTHONPATH: join(root, "worker-py") };
  const output = execFileSync(venvBin("python"), [SCRIPT, String(rounds * TURNS_A_ROUND)], { env, encoding: "utf8" });
  const { ours, bare, ratio, loading, peak_mb } = JSON.parse(output);
  const speed = (seconds) => IMAGES_PER_BATCH / seconds;
  const trained = (seconds) => ({ seconds, peak_mb, value: speed(seconds), unit: "images/s" });
  console.log(`an iteration: ours ${ours.toFixed(3)} s, bare loop ${bare.toFixed(3)} s, ratio ${ratio.toFixed(3)}`);
  console.log(`loading ${loading.toFixed(0)} images/s, training takes ${speed(ours).toFixed(0)}`);
  return [
    {
      case: "light, 256 x 192, 8 images a batch, in memory",
      ours: trained(ours),
      reference: { name: "bare loop as in torchvision's references", ...trained(bare) },
      ratio,
    },
    {
      case: "loading of batches, decoding included, one thread",
      ours: { seconds: IMAGES_PER_BATCH / loading, peak_mb, value: loading, unit: "images/s" },
      reference: { name: "what training takes", ...trained(ours) },
      ratio: loading / speed(ours),
    },
  ];
}
