/**
 * Reads an annotation file and prints one JSON line about it, for `npm run bench -- readers`.
 *
 *     node scripts/bench/readers-ours.mjs gt.json
 */
import { readSource } from "../../dist/ts/data/formats/read-annotations.js";
import { peakMb } from "./peak.mjs";

const [annotations] = process.argv.slice(2);
const cpuStart = process.cpuUsage();
const start = performance.now();
const { objects } = await readSource({ annotations, format: "coco" }, { masks: false });
const seconds = (performance.now() - start) / 1000;
const { user, system } = process.cpuUsage(cpuStart);
const count = objects.sourceIds.length;
console.log(JSON.stringify({ seconds, cpu_seconds: (user + system) / 1e6, peak_mb: peakMb(), annotations: count }));
