/**
 * A fleet on this machine: a controller, and in a second process workers that are nothing but their gRPC streams. They
 * attach, and lease and finish short tasks, while watchers follow the run. What is measured is the 99th percentile of the
 * time from a task being ready to its lease reaching a worker, while fewer tasks are under way than there are workers.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ScriptError } from "../tools.mjs";
import { peakMb } from "./peak.mjs";
import { startScript } from "./script-process.mjs";

const FLEET = { workers: 1000, watchers: 200, tasks: 100_000, outstanding: 100 };
const QUICK_FLEET = { workers: 100, watchers: 20, tasks: 3000, outstanding: 10 };
const GROWTH = [125, 250, 500, 1000];
const TARGET_MS = 50;

export async function compare({ rounds, quick }) {
  const fleet = quick ? QUICK_FLEET : FLEET;
  const results = [];
  for (let round = 0; round < rounds; round++) results.push(await measure(fleet));
  results.sort((a, b) => a.latency_ms.p99 - b.latency_ms.p99);
  const { seconds, latency_ms, peak_mb } = results[Math.floor(results.length / 2)];
  const ours = { seconds, peak_mb, value: latency_ms.p99, unit: "ms, p99 from ready to lease" };
  const reference = { name: "target", value: TARGET_MS, unit: ours.unit };
  return [
    { case: `${fleet.workers} workers, ${fleet.tasks} tasks`, ours, reference, ratio: TARGET_MS / latency_ms.p99 },
  ];
}

/** A hundred tasks for each worker, a tenth as many watchers. */
export async function grow() {
  const results = [];
  for (const workers of GROWTH) {
    const fleet = { workers, watchers: workers / 10, tasks: 100 * workers, outstanding: Math.ceil(workers / 10) };
    const { seconds, peak_mb } = await measure(fleet);
    results.push({ case: "fleet, workers with 100 tasks each", size: workers, seconds, peak_mb });
  }
  return results;
}

async function measure({ workers, watchers, tasks, outstanding }) {
  const folder = mkdtempSync(join(tmpdir(), "cassl-fleet-"));
  const controller = startScript("fleet-controller.mjs", [folder]);
  try {
    const address = await controller.nextLine();
    const fleet = startScript("fleet-workers.mjs", [address, workers, watchers, tasks, outstanding]);
    const result = JSON.parse(await fleet.nextLine());
    const peak_mb = peakMb(controller.child.pid);
    print({ workers, watchers, outstanding, peak_mb, ...result });
    if (result.lost !== 0 || result.doubled !== 0) throw new ScriptError("Tasks were lost or doubled.");
    return { ...result, peak_mb };
  } finally {
    controller.child.kill("SIGTERM");
    rmSync(folder, { recursive: true, force: true });
  }
}

function print({ workers, watchers, tasks, outstanding, seconds, latency_ms, peak_mb, lost, doubled, events }) {
  const ms = (value) => `${value.toFixed(1)} ms`;
  console.log(
    `${workers} workers and ${watchers} watchers attached; ${tasks} tasks, ${outstanding} under way at a time`,
  );
  console.log(`  ${(tasks / seconds).toFixed(0)} tasks a second, ${lost} lost, ${doubled} leased twice`);
  console.log(`  ready to lease: p50 ${ms(latency_ms.p50)}, p99 ${ms(latency_ms.p99)}, most ${ms(latency_ms.most)}`);
  console.log(
    `  each watcher saw ${events.fewest} to ${events.most} events; controller's peak ${peak_mb.toFixed(0)} MB`,
  );
}
