/**
 * Evaluates a results file and prints one JSON line about it, for `npm run bench -- coco`.
 *
 *     node scripts/bench/coco-ours.mjs bbox gt.json dt.json
 */
import { evaluateCoco } from "../../dist/ts/evaluation/coco/index.js";
import { peakMb } from "./peak.mjs";

const [iouType, gt, dt] = process.argv.slice(2);
const cpuStart = process.cpuUsage();
const start = performance.now();
const { stats } = await evaluateCoco(gt, dt, { iouType });
const seconds = (performance.now() - start) / 1000;
const { user, system } = process.cpuUsage(cpuStart);
console.log(JSON.stringify({ seconds, cpu_seconds: (user + system) / 1e6, peak_mb: peakMb(), stats }));
