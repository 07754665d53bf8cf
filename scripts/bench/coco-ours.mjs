/**
 * Evaluates a results file and prints one JSON line about it, for `npm run bench -- coco`.
 *
 *     node scripts/bench/coco-ours.mjs bbox gt.json dt.json
 */
import { existsSync, readFileSync } from "node:fs";
import { evaluateCoco } from "../../dist/ts/evaluation/coco/index.js";

const [iouType, gt, dt] = process.argv.slice(2);
const start = performance.now();
const { stats } = await evaluateCoco(gt, dt, { iouType });
const seconds = (performance.now() - start) / 1000;
console.log(JSON.stringify({ seconds, peak_mb: peakMb(), stats }));

/** Not resourceUsage, which starts from the peak of the process that started this one. */
function peakMb() {
  const status = "/proc/self/status";
  if (!existsSync(status)) return process.resourceUsage().maxRSS / 1024;
  return Number(/VmHWM:\s*(\d+)/.exec(readFileSync(status, "utf8"))[1]) / 1024;
}
