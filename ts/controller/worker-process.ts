/** One Python worker as a child process. */
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";
import { CasslError } from "../core/errors.js";
import { installWorker, packageRoot, workerEnvironment } from "../core/package.js";
import { causeOfKill, memoryKills } from "./memory-kills.js";

export interface WorkerProcess {
  readonly pid: number;
  readonly exited: Promise<WorkerExit>;
  /** Asks the worker to end, and ends it if it does not. */
  stop(): Promise<void>;
}

/** Where a worker of this machine attaches. */
export interface WorkerEntrance {
  readonly address: string;
  /** Undefined if none is demanded. */
  readonly token: string | undefined;
}

export interface WorkerExit {
  /** Undefined if a signal ended the process. */
  readonly code: number | undefined;
  /** What happened, and what the worker wrote last. */
  readonly lastWords: string;
  readonly lines: readonly string[];
}

const KEPT_LINES = 20;
const GRACE_MS = 3000;
/** For output that is still on its way when the process has ended; its own children may hold the pipe open for ever. */
const FLUSH_MS = 500;

/** The Python to run workers with: the given one, that of the environment, that of the set-up, or the system's. */
export function choosePython(given: string | undefined): string {
  const ofSetup = join(packageRoot, ".venv/bin/python");
  return given ?? process.env["CASSL_PYTHON"] ?? (existsSync(ofSetup) ? ofSetup : "python3");
}

/** WORKER_FAILED if the Python cannot be executed. @param scratch folder for the files of its tasks. */
export async function spawnWorker(
  python: string,
  { address, token }: WorkerEntrance,
  scratch: string,
  onOutput: (line: string) => void,
): Promise<WorkerProcess> {
  const args = ["-m", "cassl_worker", "--controller", address, "--scratch", scratch, "--exit-on-stdin-eof"];
  const child = spawn(python, args, {
    stdio: ["pipe", "pipe", "pipe"],
    // Unlike its arguments, the environment of a process is shown to its owner alone.
    env: {
      ...workerEnvironment(),
      CASSL_TOKEN: token,
      CASSL_TOKEN_FILE: undefined,
      CASSL_TLS_CA: undefined,
    },
    // A Ctrl-C in the terminal is for the controller alone, which then stops its workers.
    detached: true,
  });
  // The worker may end before what is written to it is read.
  child.stdin.on("error", () => {});
  const lines: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on("line", (line) => {
      lines.push(line);
      if (lines.length > KEPT_LINES) lines.shift();
      onOutput(line);
    });
  }
  const exited = exitOf(child, lines, memoryKills());
  await started(child, python);
  return { pid: child.pid as number, exited, stop: () => stop(child, exited) };
}

function started(child: ChildProcess, python: string): Promise<void> {
  return new Promise((resolve, reject) => {
    child.once("spawn", resolve);
    child.once("error", (error) =>
      reject(
        new CasslError(
          "WORKER_FAILED",
          `The worker's Python, ${python}, cannot be started: ${error.message}.`,
          `${installWorker} Or name a Python that has the worker's packages in CASSL_PYTHON.`,
          { cause: error },
        ),
      ),
    );
  });
}

/** @param killsBefore see `causeOfKill`. */
async function exitOf(
  child: ChildProcess,
  lines: readonly string[],
  killsBefore: number | undefined,
): Promise<WorkerExit> {
  const closed = new Promise((resolve) => child.once("close", resolve));
  await new Promise((resolve) => child.once("exit", resolve));
  await Promise.race([closed, delay(FLUSH_MS, undefined, { ref: false })]);
  const killed = `was killed by ${child.signalCode}`;
  const how = child.signalCode === null ? `ended with exit code ${child.exitCode}` : killed;
  const cause = child.signalCode === "SIGKILL" ? ` ${causeOfKill(killsBefore, memoryKills())}` : "";
  const said = lines.length === 0 ? "It wrote nothing." : `Its last lines:\n${lines.join("\n")}`;
  return { code: child.exitCode ?? undefined, lastWords: `The worker process ${how}.${cause} ${said}`, lines };
}

async function stop(child: ChildProcess, exited: Promise<WorkerExit>): Promise<void> {
  child.stdin?.end();
  child.kill("SIGTERM");
  const killer = setTimeout(() => child.kill("SIGKILL"), GRACE_MS);
  await exited;
  clearTimeout(killer);
}
