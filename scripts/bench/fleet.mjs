/**
 * A fleet on this machine: a controller, and in a second process workers that are nothing but their gRPC streams. They
 * attach, and lease and finish short tasks, while watchers follow the run. What is measured is the 99th percentile of the
 * time from a task being ready to its lease reaching a worker, while fewer tasks are under way than there are workers.
 */
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { root, ScriptError } from "../tools.mjs";

const FLEET = { workers: 1000, watchers: 200, tasks: 100_000, outstanding: 100 };
const QUICK_FLEET = { workers: 100, watchers: 20, tasks: 3000, outstanding: 10 };
const GROWTH = [125, 250, 500, 1000];
const TARGET_MS = 50;

export async function compare({ rounds, quick }) {
  const fleet = quick ? QUICK_FLEET : FLEET;
  const results = [];
  for (let round = 0; round < rounds; round++) results.push(await measure(fleet));
  results.sort((a, b) => a.latency_ms.p99 - b.latency_ms.p99);
  const { seconds, latency_ms, peakMb } = results[Math.floor(results.length / 2)];
  const ours = { seconds, peak_mb: peakMb, value: latency_ms.p99, unit: "ms, p99 from ready to lease" };
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
    const { seconds, peakMb } = await measure(fleet);
    results.push({ case: "fleet, workers with 100 tasks each", size: workers, seconds, peak_mb: peakMb });
  }
  return results;
}

async function measure({ workers, watchers, tasks, outstanding }) {
  const folder = mkdtempSync(join(tmpdir(), "cassl-fleet-"));
  const controller = start("fleet-controller.mjs", [folder]);
  try {
    const address = await controller.firstLine;
    const fleet = start("fleet-workers.mjs", [address, workers, watchers, tasks, outstanding].map(String));
    const result = JSON.parse(await fleet.firstLine);
    const peakMb = peakOf(controller.child.pid);
    print({ workers, watchers, outstanding, peakMb, ...result });
    if (result.lost !== 0 || result.doubled !== 0) throw new ScriptError("Tasks were lost or doubled.");
    return { ...result, peakMb };
  } finally {
    controller.child.kill("SIGTERM");
    rmSync(folder, { recursive: true, force: true });
  }
}

function start(script, args) {
  const child = spawn(process.execPath, [join(root, "scripts/bench", script), ...args], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const firstLine = new Promise((resolve, reject) => {
    createInterface({ input: child.stdout }).once("line", resolve);
    child.once("exit", (code) => reject(new ScriptError(`${script} ended with ${code}.`)));
  });
  return { child, firstLine };
}

/** Of resident memory, in MB. */
function peakOf(pid) {
  return Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) / 1024;
}

function print({ workers, watchers, tasks, outstanding, seconds, latency_ms, peakMb, lost, doubled, events }) {
  const ms = (value) => `${value.toFixed(1)} ms`;
  console.log(
    `${workers} workers and ${watchers} watchers attached; ${tasks} tasks, ${outstanding} under way at a time`,
  );
  console.log(`  ${(tasks / seconds).toFixed(0)} tasks a second, ${lost} lost, ${doubled} leased twice`);
  console.log(`  ready to lease: p50 ${ms(latency_ms.p50)}, p99 ${ms(latency_ms.p99)}, most ${ms(latency_ms.most)}`);
  console.log(
    `  each watcher saw ${events.fewest} to ${events.most} events; controller's peak ${peakMb.toFixed(0)} MB`,
  );
}
