/** A Ray cluster on this machine's loopback: processes in the foreground, ended by their own id, with a token. */
import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { stringify } from "yaml";
import { packageRoot, workerEnvironment } from "../../ts/core/package.js";
import { connectRay, type RayJobs } from "../../ts/ray/jobs.js";
import { freePorts } from "../free-ports.js";

export interface TestCluster {
  /** Where its files are. */
  readonly folder: string;
  /** What its nodes share. */
  readonly storage: string;
  /** A file for --ray. @param changes of its settings. */
  settings(name: string, changes: object): Promise<string>;
  /** The head alone, with the ports that it has had before, if any. */
  startHead(options: readonly string[]): Promise<LogicalNode>;
  addNode(options: readonly string[]): Promise<LogicalNode>;
  stop(): Promise<void>;
}

/** A `ray start --block`. Everything that Ray starts on the node descends from it. */
export interface LogicalNode {
  /** Ids of those that Ray has given a title which begins so. */
  processes(title: string): number[];
  /** It and all that runs on it at once, as when a machine is gone. */
  kill(): Promise<void>;
}

/** 127.0.0.1 Ray silently replaces by the address of an interface. */
const HEAD = "127.0.0.2";
const OBJECT_STORE_BYTES = 100_000_000;
const START_MS = 240_000;
const STOP_MS = 60_000;
const POLL_MS = 500;

const bin = (name: string): string => join(packageRoot, ".venv/bin", name);

export function isRayInstalled(): boolean {
  return existsSync(bin("ray"));
}

export async function createTestCluster(): Promise<TestCluster> {
  // Sockets lie in the folder, and their paths must be short.
  const folder = await mkdtemp(join(tmpdir(), "ray-"));
  const storage = join(folder, "shared");
  await mkdir(storage);
  const token = randomBytes(16).toString("hex");
  await writeFile(join(folder, "token"), token, { mode: 0o600 });
  const [gcs = 0, dashboard = 0] = await freePorts(2, HEAD);
  const address = `http://127.0.0.1:${dashboard}`;
  const jobs = connectRay({ address, token });
  const environment = {
    ...workerEnvironment(),
    RAY_AUTH_MODE: "token",
    RAY_AUTH_TOKEN_PATH: join(folder, "token"),
    RAY_GRACEFUL_SHUTDOWN_DRAIN_TIMEOUT_S: "3",
    RAY_USAGE_STATS_ENABLED: "0",
    // On a busy machine, Ray's workers would wait for everything else that it does, and the start of processes takes long.
    RAY_worker_niceness: "0",
    RAY_agent_register_timeout_ms: String(START_MS),
    RAY_worker_register_timeout_seconds: String(START_MS / 1000),
  };
  const nodes: SupervisedNode[] = [];

  async function start(options: readonly string[]): Promise<LogicalNode> {
    const args = ["start", "--block", "--disable-usage-stats", `--object-store-memory=${OBJECT_STORE_BYTES}`];
    const node = supervise(bin("ray"), [...args, ...(await portsOfNode()), ...options], environment);
    nodes.push(node);
    return node;
  }

  return {
    folder,
    storage,
    async settings(name, changes) {
      const file = join(folder, name);
      const ours = { address, token_file: "token", storage, python: bin("python") };
      await writeFile(file, stringify({ ...ours, ...changes }));
      return file;
    },
    async startHead(options) {
      const head = await start([
        "--head",
        `--node-ip-address=${HEAD}`,
        `--port=${gcs}`,
        "--dashboard-host=127.0.0.1",
        `--dashboard-port=${dashboard}`,
        `--temp-dir=${folder}`,
        ...options,
      ]);
      await answering(jobs);
      return head;
    },
    addNode: (options) => start([`--address=${HEAD}:${gcs}`, "--node-ip-address=127.0.0.3", ...options]),
    async stop() {
      await Promise.all(nodes.toReversed().map((node) => node.end()));
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Nodes of one machine must not look for ports in the same range; and Ray waits in vain for those that slow processes choose. */
async function portsOfNode(): Promise<string[]> {
  const names = [
    "dashboard-agent-listen-port",
    "dashboard-agent-grpc-port",
    "metrics-export-port",
    "runtime-env-agent-port",
  ];
  const ports = await freePorts(names.length, HEAD);
  return ["--min-worker-port=0", "--max-worker-port=0", ...names.map((name, at) => `--${name}=${ports[at]}`)];
}

/** Returns when there is a node for jobs. */
async function answering(jobs: RayJobs): Promise<void> {
  for (const begun = Date.now(); Date.now() - begun < START_MS; await delay(POLL_MS)) {
    const nodes = await jobs.nodes().catch(() => []);
    if (nodes.length > 0) return;
  }
  throw new Error(`Ray has no node after ${START_MS / 1000} s`);
}

interface SupervisedNode extends LogicalNode {
  end(): Promise<void>;
}

/** Starts it again when it ends by itself: nodes leave with their head, and where starting up takes Ray more than 15 s. */
function supervise(command: string, args: readonly string[], env: NodeJS.ProcessEnv): SupervisedNode {
  let isWanted = true;
  let node = launch();

  function launch(): ChildProcess {
    // Signals of a terminal are for the tests alone.
    const child = spawn(command, args, { env, stdio: "ignore", detached: true });
    child.once("exit", () => {
      if (isWanted) setTimeout(() => isWanted && (node = launch()), POLL_MS);
    });
    return child;
  }

  async function endBy(signal: NodeJS.Signals): Promise<void> {
    isWanted = false;
    const family = descendants(node.pid);
    if (node.exitCode === null && node.signalCode === null) {
      const ended = once(node, "exit");
      node.kill(signal);
      const killer = setTimeout(() => node.kill("SIGKILL"), STOP_MS);
      if (signal === "SIGKILL") family.forEach(kill);
      await ended;
      clearTimeout(killer);
    }
    family.forEach(kill);
  }

  return {
    processes: (title) => descendants(node.pid).filter((pid) => titleOf(pid).startsWith(title)),
    kill: () => endBy("SIGKILL"),
    end: () => endBy("SIGTERM"),
  };
}

export function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

function descendants(pid: number | undefined): number[] {
  const children = read(`/proc/${pid}/task/${pid}/children`).split(" ").filter(Boolean).map(Number);
  return children.flatMap((child) => [child, ...descendants(child)]);
}

function titleOf(pid: number): string {
  return read(`/proc/${pid}/cmdline`).replaceAll("\0", " ").trim();
}

/** Empty where the process is gone. */
function read(file: string): string {
  try {
    return readFileSync(file, "utf8").trim();
  } catch {
    return "";
  }
}
