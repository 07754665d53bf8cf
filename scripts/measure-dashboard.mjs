/**
 * What the dashboard takes: memory of the controller's process while a run streams to several browsers, and how soon a browser
 * paints the list of runs.
 *
 *     npm run build && node scripts/measure-dashboard.mjs --runs 1000 --viewers 5 --seconds 30
 *
 * Prints JSON: resident memory in MiB before anybody looks, its peak, events a second that a viewer got, and ms to the first
 * paint and to the whole list (left out without Chromium).
 */
import { fork } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { openBrowser } from "../dist/test/e2e/browser.js";
import { makeCellsProject } from "../dist/test/ts/controller/cells-project.js";
import { attachWorker } from "../dist/test/ts/controller/fake-worker.js";
import { storeRun } from "../dist/test/ts/dashboard/stored-run.js";
import { CasslClient } from "../dist/ts/client/client.js";
import { startController } from "../dist/ts/controller/controller.js";
import { openState } from "../dist/ts/controller/state.js";
import { startDashboard } from "../dist/ts/dashboard/dashboard.js";
import { main } from "./tools.mjs";

const EVENTS_OF_A_RUN = 20;
const REPORT_EVERY_MS = 10;

/** In a process of its own, whose memory is measured. */
async function serve(workspace) {
  const options = { workspace, host: "127.0.0.1", port: 0, childWorkers: 0, recover: "leave" };
  const controller = await startController(options);
  const dashboard = await startDashboard(controller.parts, { host: "127.0.0.1", port: 0 });
  process.send({ address: controller.address, url: dashboard.url });
}

async function storeRuns(workspace, config, count) {
  const state = openState(join(workspace, "state.db"));
  for (let run = 0; run < count; run++) {
    state.transaction(() => {
      const id = `run-${String(run).padStart(5, "0")}`;
      storeRun(state, id, config, {});
      for (let n = 0; n < EVENTS_OF_A_RUN; n++) {
        state.appendEvent(id, new Date(), { $case: "log", value: { level: "info", text: `line ${n}` } });
      }
    });
  }
  state.close();
}

/** A training that reports a hundred times a second, for as long as its stream is open. */
async function train(address) {
  const worker = attachWorker(address);
  const { heartbeat_seconds } = await worker.next("welcome");
  const lease = await worker.next("lease");
  let iteration = 0;
  const reports = setInterval(() => worker.progress(lease, ++iteration), REPORT_EVERY_MS);
  const beats = setInterval(() => worker.send({ $case: "heartbeat", value: {} }), 1000 * heartbeat_seconds);
  return () => {
    clearInterval(reports);
    clearInterval(beats);
    worker.die();
  };
}

/** Reads a stream of events as a browser does. Returns how many have come. */
async function follow(url, signal) {
  let events = 0;
  try {
    const { body } = await fetch(url, { signal });
    for await (const chunk of body)
      events +=
        Buffer.from(chunk)
          .toString()
          .match(/^data: /gm)?.length ?? 0;
  } catch (error) {
    if (!signal.aborted) throw error;
  }
  return events;
}

function memoryOf(pid, name) {
  const [, kilobytes] = new RegExp(`${name}:\\s*(\\d+)`).exec(readFileSync(`/proc/${pid}/status`, "utf8"));
  return Math.round(Number(kilobytes) / 1024);
}

async function paintTimes(url, runs) {
  const browser = await openBrowser();
  if (browser === undefined) return {};
  const page = await browser.open(url);
  await page.waitForFunction(`document.querySelectorAll("table.runs tbody tr").length >= ${runs}`);
  const [first, whole] = await page.evaluate(
    "[performance.getEntriesByName('first-contentful-paint')[0].startTime, performance.now()]",
  );
  await browser.close();
  return { first_paint_ms: Math.round(first), whole_list_ms: Math.round(whole) };
}

async function measure({ runs, viewers, seconds }) {
  const folder = await mkdtemp(join(tmpdir(), "cassl-dashboard-"));
  const workspace = join(folder, ".cassl");
  const config = await makeCellsProject(folder);
  // Makes the workspace.
  const controller = await startController({
    workspace,
    host: "127.0.0.1",
    port: 0,
    childWorkers: 0,
    recover: "leave",
  });
  await controller.stop();
  await storeRuns(workspace, config, runs);
  const child = fork(fileURLToPath(import.meta.url), ["--serve", workspace]);
  try {
    const [{ address, url }] = await once(child, "message");
    const idle_mb = memoryOf(child.pid, "VmRSS");
    const client = new CasslClient(address);
    await client.createRun("live", { ...config, arms: ["supervised"] });
    const stopTraining = await train(address);
    const watching = new AbortController();
    const streams = Array.from({ length: viewers }, () => [
      follow(`${url}/api/overview/events`, watching.signal),
      follow(`${url}/api/runs/live/events`, watching.signal),
    ]);
    const paint = await paintTimes(url, runs);
    await sleep(1000 * seconds);
    const peak_mb = memoryOf(child.pid, "VmHWM");
    const end_mb = memoryOf(child.pid, "VmRSS");
    watching.abort();
    const counts = await Promise.all(streams.map(([, events]) => events));
    stopTraining();
    client.close();
    return { runs, viewers, seconds, idle_mb, peak_mb, end_mb, events_of_a_viewer: counts[0], ...paint };
  } finally {
    child.kill();
    await rm(folder, { recursive: true, force: true });
  }
}

const options = {
  serve: { type: "string" },
  runs: { type: "string", default: "1000" },
  viewers: { type: "string", default: "5" },
  seconds: { type: "string", default: "30" },
};

await main(import.meta.url, async () => {
  const { values } = parseArgs({ options });
  if (values.serve !== undefined) return serve(values.serve);
  const numbers = { runs: Number(values.runs), viewers: Number(values.viewers), seconds: Number(values.seconds) };
  console.log(JSON.stringify(await measure(numbers)));
  process.exit(0);
});
