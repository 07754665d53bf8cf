/** MLflow and Weights & Biases: their own libraries, in a Python process that is fed with events; worker-py/cassl_worker/tracking.py. */
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface, type Interface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";
import { CasslError } from "../core/errors.js";
import { workerEnvironment } from "../core/package.js";
import type { Run, RunEvent } from "../gen/cassl/v1/run.js";
import { eventJson } from "./event-json.js";
import { lastLine } from "./finding.js";
import type { Sink } from "./sink.js";

export type Service = "mlflow" | "wandb";

const TITLES: Readonly<Record<Service, string>> = { mlflow: "MLflow", wandb: "Weights & Biases" };
/** For what is still to be sent when the run has ended. */
const GRACE_MS = 60_000;

/**
 * @param target of MLflow the URI of a server or store, of Weights & Biases the project.
 * @param note where to say the address of the tracked run, and that the service takes no more: the run goes on all the same.
 * WORKER_INCOMPLETE if the Python lacks the library.
 */
export async function openTracker(
  service: Service,
  target: string,
  python: string,
  note: (text: string) => void,
): Promise<Sink> {
  const child = spawn(python, ["-m", "cassl_worker.tracking", service, target], {
    stdio: ["pipe", "pipe", "pipe"],
    env: workerEnvironment(),
    // In a group of its own, which Ctrl-C does not reach: it is to hear that the run was cancelled. It ends with its input.
    detached: true,
  });
  const ended = lastWords(child);
  const lines = createInterface({ input: child.stdout });
  await ready(lines, ended, service, python);
  lines.on("line", (line) => {
    const { url } = JSON.parse(line) as { readonly url?: string };
    if (url !== undefined) note(`${TITLES[service]}: ${url}`);
  });
  void ended.then(({ code, said }) => {
    if (code !== 0) note(`warning: ${TITLES[service]} is told no more: ${said}`);
  });
  return {
    begin: (run) => send(child, trackedRun(run)),
    show(event) {
      if (isTold(event)) send(child, eventJson(event));
    },
    async finish() {
      child.stdin.end();
      const waiting = new AbortController();
      const late = delay(GRACE_MS, undefined, { signal: waiting.signal }).then(
        () => killGroup(child),
        () => {},
      );
      await Promise.race([ended, late]);
      waiting.abort();
    },
  };
}

/** With what the library has started. */
function killGroup({ pid, stdout, stderr }: ChildProcessWithoutNullStreams): void {
  try {
    if (pid !== undefined) process.kill(-pid, "SIGKILL");
  } catch {
    // It has ended in between.
  }
  stdout.destroy();
  stderr.destroy();
}

interface Ended {
  readonly code: number | null;
  /** The last line of its standard error. */
  readonly said: string;
}

async function lastWords(child: ChildProcessWithoutNullStreams): Promise<Ended> {
  let said = "";
  child.stderr.on("data", (chunk: Buffer) => {
    said = (said + chunk.toString()).slice(-2000);
  });
  // What is written to a process that has ended is told of by its end.
  child.stdin.on("error", () => {});
  try {
    const [code] = (await once(child, "close")) as [number | null];
    return { code, said: lastLine(said) };
  } catch (error) {
    return { code: null, said: (error as Error).message };
  }
}

/** The first line says that the library is there. */
async function ready(lines: Interface, ended: Promise<Ended>, service: Service, python: string): Promise<void> {
  const failure = await Promise.race([once(lines, "line").then(() => undefined), ended]);
  if (failure === undefined) return;
  throw new CasslError(
    "WORKER_INCOMPLETE",
    `${TITLES[service]} cannot be used from ${python}: ${failure.said}`,
    "Install its library there: pip install 'cassl-worker[tracking]'.",
  );
}

function send(child: ChildProcessWithoutNullStreams, message: object): void {
  child.stdin.write(`${JSON.stringify(message)}\n`);
}

function trackedRun({ run_id, config_hash, config }: Run): object {
  return { run_id, config_hash, name: config?.name ?? run_id, config: config ?? {} };
}

/** Events that have numbers, or are an end. */
function isTold({ event }: RunEvent): boolean {
  if (event?.$case === "step_progress") return event.value.progress?.$case === "train";
  return event?.$case === "state_changed" || event?.$case === "arm_evaluated" || event?.$case === "gate_checked";
}
