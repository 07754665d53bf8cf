/** What it means that a job of Ray has ended, or has never begun, without a result. */
import { CasslError, type Reason } from "../../core/errors.js";
import { ErrorReason } from "../../gen/cassl/v1/error_reason.js";
import type { Job } from "../../ray/jobs.js";

/** Of the worker's last line. */
const REFUSAL = /^cassl-worker: ([A-Z][A-Z_]+): (.*)$/gm;
/** What another job would come to as well. */
const FINAL: ReadonlySet<Reason> = new Set([
  "CONFIG_INVALID",
  "FILE_NOT_FOUND",
  "PERMISSION_DENIED",
  "RAY_VERSION_MISMATCH",
  "TLS_FAILED",
  "UNAUTHENTICATED",
  "VERSION_MISMATCH",
  "WORKER_INCOMPLETE",
]);
const LAST_CHARACTERS = 2000;
/** As the shell and Ray put it that the kernel, or somebody, has ended a process by SIGKILL. */
const KILLED = /exit code (-9|137)\b/;

/** The error that the job's worker has ended with, if no other attempt would do better. */
export function finalRefusal({ message }: Pick<Job, "message">): CasslError | undefined {
  const [, name = "", text = ""] = [...message.matchAll(REFUSAL)].at(-1) ?? [];
  if (!isReason(name) || !FINAL.has(name)) return undefined;
  return new CasslError(
    name,
    `The worker of a Ray job has ended: ${text}`,
    "Correct this on the nodes of the cluster.",
  );
}

function isReason(name: string): name is Reason {
  return name in ErrorReason;
}

export function endedWithoutResult({ status, message }: Pick<Job, "status" | "message">, id: string): CasslError {
  const text = `the job ${id} of Ray ended without a result (${status}): ${message.slice(-LAST_CHARACTERS).trim()}`;
  if (!KILLED.test(message)) return new CasslError("RAY_JOB_FAILED", text, "Correct what its last lines say.");
  return new CasslError(
    "RAY_OUT_OF_MEMORY",
    text,
    "What is killed mostly lacks memory: give `driver` or `export` in the file of --ray `memory_gb`, or lower the input size.",
  );
}

/** The head keeps its jobs in memory. */
export function forgotten(id: string): CasslError {
  return new CasslError(
    "RAY_JOB_FAILED",
    `Ray does not know the job ${id} any more: its head was restarted`,
    "Give the head a Redis to keep its state in (GCS fault tolerance), if that comes up often.",
  );
}

export function neverBegan(why: string, seconds: number): CasslError {
  return new CasslError(
    "RAY_RESOURCES_MISSING",
    `A job of Ray did not begin within ${seconds} s. ${why}`,
    "Ask for less in the file of --ray, add a node that has it, or raise `pending_seconds`.",
  );
}
