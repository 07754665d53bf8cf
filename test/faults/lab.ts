/** Real processes to do harm to: `cassl serve`, and workers that are real but for torch (test/py/torchless_worker.py). */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import { CasslClient } from "../../ts/client/client.js";
import { choosePython } from "../../ts/controller/worker-process.js";
import { CasslError } from "../../ts/core/errors.js";
import { sha256 } from "../../ts/core/hash.js";
import { packageRoot } from "../../ts/core/package.js";
import { seededRandom } from "../../ts/core/random.js";
import type { PredictionManifest } from "../../ts/gen/cassl/v1/prediction_frame.js";
import { type Run, type RunConfig, type RunEvent, State } from "../../ts/gen/cassl/v1/run.js";
import type { RunResult } from "../../ts/pipeline/pipeline.js";
import { freePort } from "../free-ports.js";
import { cassl, type Running } from "../integration/project.js";
import { makeCellsProject } from "../ts/controller/cells-project.js";

export const UNLABELED = 96;
export const SHARD_SIZE = 4;
const UNLABELED_OF_CELLS = 3;

export interface Lab {
  readonly folder: string;
  readonly workspace: string;
  readonly config: RunConfig;
  readonly address: string;
  readonly client: CasslClient;
  /** An executable that stands in for the worker's Python. */
  readonly python: string;
  readonly port: number;
  /** Starts `cassl serve` and returns when it listens. */
  serve(options?: { workers?: number; env?: NodeJS.ProcessEnv }): Promise<Running>;
  /** Starts a worker. `controller` is the lab's if it is not given. */
  startWorker(options?: { env?: NodeJS.ProcessEnv; controller?: string }): ChildProcess;
  /** Waits for an event of the run; reads from the beginning. */
  waitFor(runId: string, matches: (event: NonNullable<RunEvent["event"]>) => boolean): Promise<RunEvent>;
  /** The run when it has ended, however often its controller has been restarted meanwhile. */
  outcome(runId: string): Promise<Run>;
  events(runId: string): Promise<RunEvent[]>;
  /** result.json of a run that has succeeded. */
  resultOf(run: Run): Promise<RunResult>;
  /** Kills what is left, and asserts that no process of the lab outlives it. */
  close(): Promise<void>;
}

/** @param given what to run instead of the lab's own configuration, on the same data. */
export async function openLab(given?: RunConfig): Promise<Lab> {
  const folder = await mkdtemp(join(tmpdir(), "cassl-faults-"));
  const workspace = join(folder, "workspace");
  const python = await standIn(folder);
  const own = await projectIn(folder);
  const config = given === undefined ? own : { ...given, data: own.data };
  const port = await freePort();
  const address = `127.0.0.1:${port}`;
  const client = new CasslClient(address);
  const processes = new Set<ChildProcess>();
  const track = (child: ChildProcess): ChildProcess => {
    processes.add(child);
    void once(child, "exit").then(() => processes.delete(child));
    return child;
  };

  async function events(runId: string): Promise<RunEvent[]> {
    const found: RunEvent[] = [];
    for await (const event of client.watchRun(runId)) found.push(event);
    return found;
  }

  return {
    folder,
    workspace,
    config,
    address,
    client,
    python,
    port,
    async serve({ workers = 0, env = {} } = {}) {
      const args = ["serve", "--listen", address, "--workspace", workspace, "--workers", String(workers)];
      const running = cassl([...args, "--python", python], env);
      track(running.child);
      await running.line((line) => line.includes(address));
      return running;
    },
    startWorker({ env = {}, controller = address } = {}) {
      const args = ["-m", "cassl_worker", "--controller", controller, "--name", folder];
      const pythonPath = join(packageRoot, "worker-py");
      return track(spawn(python, args, { stdio: "ignore", env: { ...process.env, PYTHONPATH: pythonPath, ...env } }));
    },
    async waitFor(runId, matches) {
      for await (const event of client.watchRun(runId))
        if (event.event !== undefined && matches(event.event)) return event;
      throw new Error(`run ${runId} ended first: ${JSON.stringify((await client.getRun(runId)).error)}`);
    },
    async outcome(runId) {
      for (;;) {
        const run = await client.getRun(runId).catch(unlessAway);
        if (run !== undefined && run.state !== State.PENDING && run.state !== State.RUNNING) return run;
        await pause(100);
      }
    },
    events,
    async resultOf(run) {
      assert.equal(run.error, undefined, run.error?.message);
      return client.readResult(run);
    },
    async close() {
      client.close();
      const left = [...processes];
      for (const child of left) {
        child.kill("SIGCONT");
        child.kill("SIGKILL");
      }
      await Promise.all(left.map(ended));
      await assertNoOrphans([folder, address]);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
}

function unlessAway(error: unknown): undefined {
  if (!(error instanceof CasslError) || error.reason !== "CONTROLLER_UNREACHABLE") throw error;
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

async function standIn(folder: string): Promise<string> {
  const path = join(folder, "python");
  const worker = join(packageRoot, "test/py/torchless_worker.py");
  await writeFile(path, `#!/bin/sh\nexec '${choosePython(undefined)}' '${worker}' "$@"\n`);
  await chmod(path, 0o755);
  return path;
}

/** Data in a folder, and a configuration for them: the cells project with many more unlabeled images, and stages that are long enough to be disturbed. */
export async function projectIn(folder: string): Promise<RunConfig> {
  const config = await makeCellsProject(folder);
  const extra = join(folder, "noise");
  await mkdir(extra);
  const random = seededRandom(11);
  for (let image = UNLABELED_OF_CELLS; image < UNLABELED; image++) {
    const pixels = Buffer.from(Array.from({ length: 64 * 48 * 3 }, () => Math.floor(random() * 256)));
    const name = join(extra, `${String(image).padStart(3, "0")}.png`);
    await sharp(pixels, { raw: { width: 64, height: 48, channels: 3 } })
      .png()
      .toFile(name);
  }
  const { data, stages } = structuredClone(config);
  assert.ok(data?.unlabeled && data.leak_firewall && stages?.pseudo_label?.predict);
  data.unlabeled.images.push(extra);
  data.leak_firewall.enabled = false;
  stages.pseudo_label.predict.shard_size = SHARD_SIZE;
  for (const stage of [stages.pseudo_label, stages.warmup, stages.finetune]) {
    assert.ok(stage?.solver);
    Object.assign(stage.solver, { iterations: 40, lr_ramp_iterations: 1, checkpoint_every_iterations: 4 });
  }
  return { ...config, arms: ["class_agnostic"], data, stages };
}

/** Every artifact has the bytes that its name says; what is half-written are uploads that may yet go on. */
export async function assertArtifactsWhole(workspace: string): Promise<void> {
  const folder = join(workspace, "artifacts");
  const files = (await readdir(folder, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile());
  for (const { name, parentPath } of files) {
    if (parentPath === join(folder, "tmp")) assert.match(name, /^[0-9a-f]{64}$/);
    else assert.equal(sha256(await readFile(join(parentPath, name))), name);
  }
}

/** Every image was predicted once: the accounts of the run's predictions say so, and so do the shards themselves. */
export async function assertLedgersBalance(lab: Lab, runId: string, images: number): Promise<void> {
  const accounts = (await lab.events(runId)).flatMap(({ event }) =>
    event?.$case === "predictions_committed" ? [event.value] : [],
  );
  assert.ok(accounts.length > 0, "there is no account of the predictions");
  for (const { images_in, images_committed, manifest } of accounts) {
    assert.deepEqual([images_in, images_committed], [images, images]);
    const { shards } = JSON.parse(Buffer.from(await lab.client.getArtifact(manifest)).toString()) as PredictionManifest;
    assert.deepEqual(
      shards.map(({ shard }) => shard),
      shards.map((_, index) => index),
    );
    assert.equal(
      shards.reduce((sum, { image_count }) => sum + image_count, 0),
      images,
    );
  }
}

/** No process still has one of the texts on its command line. */
async function assertNoOrphans(texts: readonly string[]): Promise<void> {
  for (let tries = 0; ; tries++) {
    const found = (await Promise.all(texts.map(processesWith))).flat();
    if (found.length === 0) return;
    assert.ok(tries < 50, `these processes are left: ${found.join("; ")}`);
    await pause(100);
  }
}

async function processesWith(text: string): Promise<string[]> {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  const lines = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "")));
  return lines.filter((line) => line.includes(text)).map((line) => line.replaceAll("\0", " "));
}
