/** One attempt at a task by a job of Ray, from its submission to its end. */
import { performance } from "node:perf_hooks";
import { setTimeout as delay } from "node:timers/promises";
import { CasslError } from "../../core/errors.js";
import type { TaskAttempt } from "../../gen/cassl/v1/worker_service.js";
import { jobRequest, kindOf, type Submitter, submissionId } from "../../ray/job-request.js";
import { hasEnded, type Job, type JobRequest, type RayJobs } from "../../ray/jobs.js";
import { describePending } from "../../ray/missing-resources.js";
import type { RayCluster } from "../../ray/settings.js";
import type { Provided, ProvidedTask } from "../tasks/provided.js";
import { endedWithoutResult, finalRefusal, forgotten, neverBegan } from "./job-end.js";
import { createLogTail } from "./log-tail.js";

export interface JobContext {
  readonly cluster: RayCluster;
  readonly jobs: RayJobs;
  readonly tasks: Provided;
  readonly submitter: Submitter;
  /** Of the cluster. */
  readonly rayVersion: string;
  readonly onOutput: ((line: string) => void) | undefined;
  readonly pollMs: number;
  readonly stopping: AbortSignal;
}

/** How long a job whose attempt is over may take to end by itself. */
const GRACE_MS = 10_000;
/** A job begins, and its worker attaches, within a few seconds: no news until then. */
const USUAL_MS = 15_000;

/**
 * Follows the attempt that is due, which may be one that an earlier controller has begun. Returns when the attempt is over;
 * the task may need another. Throws what another attempt would not change.
 */
export async function followAttempt(task: ProvidedTask, context: JobContext): Promise<void> {
  const attempt = (await findBegun(task, context)) ?? (await submitNext(task, context));
  try {
    await followJob(requestOf(task, attempt, context), attempt, context);
  } finally {
    await endJob(attempt, context).catch(() => {});
  }
}

function requestOf({ task, needs }: ProvidedTask, attempt: TaskAttempt, context: JobContext): JobRequest {
  return jobRequest(context.cluster, { attempt, kind: kindOf(task), needs, ...context });
}

/** The latest attempt, if there is a job at it that attaches here. */
async function findBegun(task: ProvidedTask, context: JobContext): Promise<TaskAttempt | undefined> {
  const { tasks, jobs, submitter } = context;
  const attempt = { task_id: task.taskId, attempt: tasks.latestAttempt(task.taskId) };
  const standing = tasks.standing(attempt);
  if (standing === "leased") return attempt;
  if (standing === "over" || attempt.attempt === 0) return undefined;
  const { submission_id, metadata } = requestOf(task, attempt, context);
  const job = await reached(() => jobs.find(submission_id), attempt, context);
  if (job === undefined || hasEnded(job)) return undefined;
  if (isOf(job, metadata)) return attempt;
  // Its worker dials an address where there is no controller any more.
  if (job.metadata["controller"] === submitter.controller) await jobs.stop(submission_id);
  return undefined;
}

/** Has Ray begin the next attempt. Asks first: the answer to an earlier request may have been lost, or the id be taken. */
async function submitNext(task: ProvidedTask, context: JobContext): Promise<TaskAttempt> {
  const { tasks, jobs } = context;
  for (;;) {
    const attempt = { task_id: task.taskId, attempt: tasks.nextAttempt(task.taskId) };
    const request = requestOf(task, attempt, context);
    const submit = async (): Promise<boolean> => {
      const job = await jobs.find(request.submission_id);
      if (job === undefined) await jobs.submit(request);
      return job === undefined || isOf(job, request.metadata);
    };
    if (await reached(submit, attempt, context)) return attempt;
  }
}

function isOf(job: Job, metadata: JobRequest["metadata"]): boolean {
  return Object.entries(metadata).every(([key, value]) => job.metadata[key] === value);
}

/** Returns when the attempt is over. */
async function followJob(request: JobRequest, attempt: TaskAttempt, context: JobContext): Promise<void> {
  const { tasks, jobs, pollMs, stopping, onOutput } = context;
  const id = request.submission_id;
  const tail = onOutput === undefined ? undefined : createLogTail(jobs, id, onOutput);
  const begun = performance.now();
  while (tasks.standing(attempt) !== "over" && !stopping.aborted) {
    const job = await reached(() => jobs.find(id), attempt, context);
    await tail?.();
    if (tasks.standing(attempt) === "over") return;
    if (job === undefined) return tasks.giveBack(attempt, forgotten(id));
    if (hasEnded(job)) return conclude(job, attempt, tasks);
    const waitedMs = performance.now() - begun;
    if (job.status === "PENDING")
      await reached(() => notePending(request, attempt, waitedMs, context), attempt, context);
    else if (tasks.standing(attempt) === "waiting" && waitedMs > USUAL_MS) note(attempt, STARTING, tasks);
    await delay(pollMs, undefined, { signal: stopping }).catch(() => {});
  }
}

/** Of a job that has ended although its attempt counts. */
function conclude(job: Job, attempt: TaskAttempt, tasks: Provided): void {
  const refusal = finalRefusal(job);
  if (refusal !== undefined) throw refusal;
  tasks.giveBack(attempt, endedWithoutResult(job, submissionId(attempt)));
}

const STARTING = "The job of Ray runs; its worker is starting, or cannot reach the controller.";

/** RAY_RESOURCES_MISSING if it has been pending for too long, and not only because the cluster is busy. */
async function notePending(
  request: JobRequest,
  attempt: TaskAttempt,
  waitedMs: number,
  { jobs, cluster, tasks }: JobContext,
): Promise<void> {
  const isLate = waitedMs > cluster.pending_seconds * 1000;
  if (!isLate && waitedMs < USUAL_MS) return;
  const { why, isDoubtful } = describePending(request, await jobs.nodes());
  if (isLate && isDoubtful) throw neverBegan(why, cluster.pending_seconds);
  note(attempt, why, tasks);
}

function note({ task_id }: TaskAttempt, message: string, tasks: Provided): void {
  tasks.noteProvisioning(task_id, { message, remedy: "" });
}

/** Calls until Ray answers. RAY_UNREACHABLE if that takes too long, unless a worker is at the attempt all the same. */
async function reached<T>(call: () => Promise<T>, attempt: TaskAttempt, context: JobContext): Promise<T> {
  const { tasks, cluster, pollMs, stopping } = context;
  const begun = performance.now();
  for (;;) {
    try {
      return await call();
    } catch (error) {
      const { reason, message } = CasslError.from(error);
      const isLate = performance.now() - begun > cluster.unreachable_seconds * 1000;
      const isNeeded = tasks.standing(attempt) !== "leased";
      if (reason !== "RAY_UNREACHABLE" || stopping.aborted || (isLate && isNeeded)) throw error;
      note(attempt, message, tasks);
    }
    await delay(pollMs, undefined, { signal: stopping }).catch(() => {});
  }
}

/** Waits a moment for the job to end by itself, then stops it; but not if a worker that was lost comes back with the task. */
async function endJob(attempt: TaskAttempt, { jobs, tasks, pollMs, stopping }: JobContext): Promise<void> {
  const [id, begun] = [submissionId(attempt), performance.now()];
  for (;;) {
    if (tasks.standing(attempt) === "leased" && !stopping.aborted) return;
    const job = await jobs.find(id);
    if (job === undefined || hasEnded(job)) return;
    const isPatient = !stopping.aborted && performance.now() - begun < GRACE_MS;
    if (job.status === "PENDING" || !isPatient) return jobs.stop(id);
    await delay(pollMs, undefined, { signal: stopping }).catch(() => {});
  }
}
