import assert from "node:assert/strict";
import { chmod, mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { CasslClient } from "../../../ts/client/client.js";
import { type Controller, startController } from "../../../ts/controller/controller.js";
import { ErrorReason } from "../../../ts/gen/cassl/v1/error_reason.js";
import type { Run, RunEvent } from "../../../ts/gen/cassl/v1/run.js";
import { makeCellsProject } from "./cells-project.js";
import { makeFolder } from "./workbench.js";

const DOOMED_WORKER = fileURLToPath(new URL("./doomed-worker.js", import.meta.url));
const OBEDIENT_WORKER = fileURLToPath(new URL("./obedient-worker.js", import.meta.url));
const LONGER_THAN_A_RESTART_MS = 800;

describe("child workers", () => {
  let folder: string;
  let controller: Controller | undefined;
  let output: string[];

  beforeEach(async () => {
    folder = await makeFolder();
    output = [];
  });
  afterEach(async () => {
    await controller?.stop();
    controller = undefined;
    await rm(folder, { recursive: true });
  });

  /** An executable that stands in for the worker's Python. */
  async function script(text: string): Promise<string> {
    const path = join(folder, "python");
    await writeFile(path, `#!/bin/sh\n${text}\n`);
    await chmod(path, 0o755);
    return path;
  }

  async function start(python: string, childWorkers = 1): Promise<string> {
    controller = await startController({
      workspace: join(folder, ".cassl"),
      host: "127.0.0.1",
      port: 0,
      childWorkers,
      python,
      recover: "fail",
      onWorkerOutput: (line) => output.push(line),
    });
    return controller.address;
  }

  /** The end of a run that needs a worker, and what was logged. */
  async function run(address: string): Promise<{ ended: Run; log: string }> {
    const client = new CasslClient(address);
    try {
      await client.createRun("a", await makeCellsProject(folder));
      const events: RunEvent[] = [];
      for await (const event of client.watchRun("a")) events.push(event);
      const log = events.flatMap(({ event }) => (event?.$case === "log" ? [event.value.text] : [])).join("\n");
      return { ended: await client.getRun("a"), log };
    } finally {
      client.close();
    }
  }

  const fails = ({ error }: Run, reason: keyof typeof ErrorReason, message: RegExp): void => {
    assert.equal(error?.reason, ErrorReason[reason]);
    assert.match(error?.message ?? "", message);
  };

  it("names a Python that cannot be executed", async () => {
    await assert.rejects(start("/no/such/python"), { reason: "WORKER_FAILED", message: /\/no\/such\/python/ });
  });

  it("is given the controller's address and the worker's package", async () => {
    const address = await start(await script(`echo "$@"; echo "$PYTHONPATH"; cat >/dev/null`));
    while (output.length < 2) await new Promise((resolve) => setTimeout(resolve, 5));
    const [, scratch = ""] = /--scratch (\S+)/.exec(output[0] ?? "") ?? [];
    assert.equal(output[0], `-m cassl_worker --controller ${address} --scratch ${scratch} --exit-on-stdin-eof`);
    assert.equal(dirname(scratch), join(folder, ".cassl/workers"));
    assert.match(output[1] ?? "", /\/worker-py(:|$)/);
  });

  it("shows the last lines of a worker that dies at start", async () => {
    const { ended } = await run(await start(await script("seq 1 30; echo 'libgone.so: cannot open' >&2; exit 1")));
    fails(ended, "WORKER_FAILED", /3 times.*exit code 1.*libgone\.so: cannot open/s);
    assert.doesNotMatch(ended.error?.message ?? "", /\n5\n/);
  });

  it("says at once which package is missing", async () => {
    const missing =
      "echo 'cassl-worker: WORKER_INCOMPLETE: torch missing. Install with: pip install torch' >&2; exit 3";
    const { ended } = await run(await start(await script(missing)));
    fails(ended, "WORKER_INCOMPLETE", /torch missing.*pip install torch/);
  });

  it("starts a worker that dies of its task again, and shows its last lines when that leads nowhere", async () => {
    const { ended, log } = await run(await start(await script(`exec ${process.execPath} ${DOOMED_WORKER} "$@"`)));
    fails(ended, "WORKER_FAILED", /3 attempts.*exit code 7.*cannot allocate 12 GiB/s);
    assert.match(log, /Attempt 1 ended/);
    assert.match(log, /exit code 7.*It is started again/s);
  });

  it("leave no file behind when they are killed, nor those of a controller that was", async () => {
    const left = join(folder, ".cassl/workers/worker-of-the-last-one");
    await mkdir(left, { recursive: true });
    await start(
      await script('while [ "$1" != --scratch ]; do shift; done; echo half > "$2/file"; echo "$2"; kill -9 $$'),
    );
    while (output.length < 1) await new Promise((resolve) => setTimeout(resolve, 5));
    await controller?.stop();
    assert.deepEqual(await readdir(join(folder, ".cassl/workers")), []);
  });

  it("stay away when they are drained, and what waits goes on waiting for others", async () => {
    const address = await start(await script(`echo started; exec ${process.execPath} ${OBEDIENT_WORKER} "$@"`));
    const client = new CasslClient(address);
    try {
      const attached = async (count: number) => {
        for (;;) {
          const workers = await client.listWorkers();
          if (workers.length === count) return workers;
          await new Promise((resolve) => setTimeout(resolve, 20));
        }
      };
      const [worker] = await attached(1);
      assert.equal((await client.drainWorker(worker?.worker_id ?? "")).draining, true);
      await attached(0);
      await client.createRun("a", await makeCellsProject(folder));
      await new Promise((resolve) => setTimeout(resolve, LONGER_THAN_A_RESTART_MS));
      assert.deepEqual([output, (await client.getRun("a")).error], [["started"], undefined]);
    } finally {
      client.close();
    }
  });

  it("stops its workers with it, those too that do not listen", async () => {
    const stubborn = await script(`trap '' TERM; echo $$ >> ${folder}/pids; while true; do sleep 0.1; done`);
    await start(stubborn, 2);
    const pids = async (): Promise<number[]> =>
      (await readFile(join(folder, "pids"), "utf8").catch(() => "")).split("\n").filter(Boolean).map(Number);
    while ((await pids()).length < 2) await new Promise((resolve) => setTimeout(resolve, 5));
    await controller?.stop();
    for (const pid of await pids()) assert.throws(() => process.kill(pid, 0), { code: "ESRCH" });
  });
});
