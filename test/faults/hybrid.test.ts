/**
 * A controller and three workers with addresses of their own, which share no files: one beside it, one at home behind NAT, one at a site
 * with a slow line that loses packets. They are set up by docker/setup.sh and started by the commands of docker/compose.yaml. The workers
 * are real but for torch (torchless_worker.py).
 */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { copyFile, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { promisify } from "node:util";
import { parse, stringify } from "yaml";
import { choosePython } from "../../ts/controller/worker-process.js";
import { packageRoot } from "../../ts/core/package.js";
import type { RunResult } from "../../ts/pipeline/pipeline.js";
import { eventsOf, type Running } from "../integration/project.js";
import { assertArtifactsWhole, projectIn, UNLABELED } from "./lab.js";
import { type Networks, openNetworks, type Place, whyNoNetworks } from "./networks.js";

const CLI = join(packageRoot, "dist/ts/cli/main.js");
const FILES = "files:8080";
/** Three missed heartbeats, and then some. */
const LONGER_THAN_A_LEASE_MS = 20_000;

describe("a hybrid cluster", function () {
  this.timeout(900_000);
  let networks: Networks;
  let folder: string;
  let data: string;
  const running: Running[] = [];

  before(async function () {
    const reason = await whyNoNetworks();
    if (reason !== undefined) {
      console.log(`      skipped: ${reason}`);
      this.skip();
    }
    networks = await openNetworks();
    folder = await mkdtemp(join(tmpdir(), "cassl-hybrid-"));
    data = join(folder, "data");
    await mkdir(data);
    await writeProject();
    const env = { ...process.env, CASSL: `${process.execPath} ${CLI}` };
    await promisify(execFile)(join(packageRoot, "docker/setup.sh"), [join(folder, "lab"), data], { env });
    // As root here: containers would run as their owner.
    await promisify(execFile)("chown", ["-R", "0:0", join(folder, "lab")]);
  });
  after(async () => {
    for (const { child } of running) child.kill("SIGKILL");
    await Promise.all(running.map(({ finished }) => finished));
    await networks?.close();
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  });

  /** Images are named by where a server of files has them, which each place reaches by an address of its own. */
  async function writeProject(): Promise<void> {
    const config = await projectIn(data);
    assert.ok(config.data?.labeled && config.data.validation && config.data.unlabeled && config.data.remote);
    const uris = await Promise.all(
      config.data.unlabeled.images.map(async (images) =>
        (await readdir(images)).map((file) => `http://${FILES}/${basename(images)}/${file}`),
      ),
    );
    await writeFile(join(data, "uris.txt"), `${uris.flat().join("\n")}\n`);
    config.data.unlabeled.images = [join(data, "uris.txt")];
    config.data.labeled.images = `http://${FILES}`;
    config.data.validation.images = `http://${FILES}`;
    config.data.remote.hosts = [FILES];
    await writeFile(join(data, "cassl.yaml"), stringify(config));
  }

  const start = (place: Place, command: readonly string[], options: Parameters<Networks["start"]>[2] = {}): Running => {
    const started = networks.start(place, command, options);
    running.push(started);
    return started;
  };

  /** Of a service, with paths of this machine in place of those in a container. */
  async function commandOf(service: string, cache = ""): Promise<string[]> {
    const compose = parse(await readFile(join(packageRoot, "docker/compose.yaml"), "utf8"), { merge: true }) as {
      services: Record<string, { command: string[] }>;
    };
    const lab = join(folder, "lab");
    const places: [string | RegExp, string][] = [
      [/\$\{CASSL_DATA:\?\}/, data],
      ["/keys/", join(lab, "keys/")],
      ["/workspace", join(lab, "workspace")],
      ["/cache", cache],
    ];
    const command = compose.services[service]?.command ?? [];
    return command.map((arg) => places.reduce((text, [from, to]) => text.replace(from, to), arg));
  }

  /** A machine of its own: it sees neither the data nor the controller's folder, only its token, the certificate and its cache. */
  async function startWorker(place: Place, iterationMs: number): Promise<Running> {
    const home = await mkdtemp(join(tmpdir(), `cassl-${place}-`));
    for (const file of ["cert.pem", "worker.token"]) await copyFile(join(folder, "lab/keys", file), join(home, file));
    const args = (await commandOf("worker-1", join(home, "cache"))).map((arg) =>
      arg.replace(join(folder, "lab/keys"), home),
    );
    const env = { PYTHONPATH: join(packageRoot, "worker-py"), TORCHLESS_MS: String(iterationMs), TORCHLESS_READ: "1" };
    const python = [choosePython(undefined), join(packageRoot, "test/py/torchless_worker.py"), "-m", "cassl_worker"];
    const worker = start(place, [...python, ...args, "--name", place], { hidden: [folder], env });
    void worker.finished.then(() => rm(home, { recursive: true, force: true }));
    return worker;
  }

  /** A command of somebody at home, who has the configuration. */
  const user = (...args: string[]): Running => {
    const keys = join(folder, "lab/keys");
    const how = ["--controller", "controller:7070", "--tls-ca", join(keys, "cert.pem")];
    return start("home", [process.execPath, CLI, ...args, ...how, "--token-file", join(keys, "client.token")]);
  };

  const attached = async (): Promise<string[]> => {
    const { stdout } = await user("workers", "--json").finished;
    const lines = stdout.split("\n").filter((line) => line.startsWith("{"));
    return lines.flatMap((line) => (JSON.parse(line) as { worker?: { name: string } }).worker?.name ?? []).sort();
  };

  it("finishes a run, though a worker is cut off for longer than its lease", async () => {
    assert.equal(await networks.hasRoute("192.168.71.2"), false, "the worker at home can only dial out");
    start("controller", ["python3", "-m", "http.server", "8080", "--bind", "0.0.0.0", "--directory", data]);
    const serve = [process.execPath, CLI, ...(await commandOf("controller")), "--image-host", FILES];
    const controller = start("controller", serve);
    await controller.line((line) => line.includes("0.0.0.0:7070"));
    assert.equal((await user("health").finished).stdout, "serving\n");

    // Slow, so that it is in the middle of its training when it is cut off.
    await startWorker("lab", 250);
    const submitted = await user("submit", join(data, "cassl.yaml"), "--run-id", "hybrid").finished;
    assert.equal(submitted.code, 0, submitted.stderr);
    const watching = user("watch", "hybrid", "--json", "--workspace", join(folder, "watched"));
    await watching.line((line) => /"step_progress".*"iteration":1\d,/.test(line));
    await networks.setCable("lab", "down");
    await startWorker("home", 20);
    await startWorker("site", 20);
    await Promise.all([delay(LONGER_THAN_A_LEASE_MS), watching.line((line) => line.includes("missed 3 heartbeats"))]);
    await networks.setCable("lab", "up");

    const watched = await watching.finished;
    assert.equal(watched.code, 0, watched.stdout + watched.stderr);
    const accounts = eventsOf(watched.stdout).flatMap(({ predictions_committed }) => predictions_committed ?? []);
    for (const { images_in, images_committed } of accounts as Record<string, number>[])
      assert.deepEqual([images_in, images_committed], [UNLABELED, UNLABELED]);
    assert.ok(accounts.length > 0, "there is an account of the predictions");
    const workspace = join(folder, "lab/workspace");
    const result = JSON.parse(await readFile(join(workspace, "runs/hybrid/result.json"), "utf8")) as RunResult;
    assert.deepEqual(
      result.arms.map(({ arm }) => arm),
      ["class_agnostic"],
    );
    await assertArtifactsWhole(workspace);
    // The one that was cut off tries again, but not all the time.
    while ((await attached()).length < 3) await delay(1000);
    assert.deepEqual(await attached(), ["home", "lab", "site"]);
  });
});
