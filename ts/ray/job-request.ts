/** What Ray is asked to run for one attempt at a task. Pure functions. */
import { shellCommand } from "../core/shell-command.js";
import type { Task } from "../gen/cassl/v1/task.js";
import type { TaskAttempt } from "../gen/cassl/v1/worker_service.js";
import type { JobRequest } from "./jobs.js";
import type { Demand, RaySettings } from "./settings.js";

export type TaskKind = "train" | "predict" | "export";

/** Who has a job submitted. Equal on both sides: the job is ours, and finds us. */
export interface Submitter {
  /** Known by its workspace. */
  readonly controller: string;
  /** Where its jobs attach. */
  readonly address: string;
}

export interface JobOrder {
  readonly attempt: TaskAttempt;
  readonly kind: TaskKind;
  /** What the run's configuration says that a worker needs. */
  readonly needs: { readonly memory_gb: number };
  readonly submitter: Submitter;
  /** Of Ray, on the cluster. */
  readonly rayVersion: string;
}

const GB = 1e9;

export function kindOf({ kind }: Task): TaskKind {
  return kind?.$case === "predict" || kind?.$case === "export" ? kind.$case : "train";
}

export function submissionId({ task_id, attempt }: TaskAttempt): string {
  return `${task_id}-${attempt}`;
}

export function jobRequest(settings: RaySettings, order: JobOrder): JobRequest {
  const { attempt, submitter, kind } = order;
  const { env_vars, ...runtimeEnv } = settings.runtime_env;
  return {
    submission_id: submissionId(attempt),
    // Without exec the shell would stand between Ray's signals and the worker, which would outlive the job.
    entrypoint: shellCommand(["exec", ...command(settings, order)]),
    metadata: { ...submitter, task: attempt.task_id, attempt: String(attempt.attempt) },
    runtime_env: {
      ...runtimeEnv,
      env_vars: { ...(env_vars as object | undefined), CASSL_RAY: JSON.stringify(forDriver(settings, order)) },
    },
    ...entrypointDemand(kind === "export" ? withMemory(settings.export, order) : settings.driver),
  };
}

function command({ python, controller }: RaySettings, { attempt, submitter }: JobOrder): string[] {
  const { token_file, tls_ca } = controller;
  return [
    ...[python, "-m", "cassl_worker", "--controller", submitter.address],
    ...["--name", `ray-${attempt.task_id.slice(0, 12)}-${attempt.attempt}`],
    ...["--reserved-for", submissionId(attempt)],
    ...(token_file === undefined ? [] : ["--token-file", token_file]),
    ...(tls_ca === undefined ? [] : ["--tls-ca", tls_ca]),
  ];
}

/** What the driver needs to know; see worker-py/cassl_worker/on_ray/settings.py. */
function forDriver({ storage, pending_seconds, train, predict }: RaySettings, order: JobOrder): object {
  return {
    storage,
    pending_seconds,
    ray_version: order.rayVersion,
    train: withMemory(train, order),
    predict: withMemory(predict, order),
  };
}

/** What each process of the job's work asks for. */
export function demandOf({ train, predict, ...settings }: RaySettings, kind: TaskKind): Demand {
  return { train, predict, export: settings.export }[kind];
}

function withMemory<T extends Demand>(demand: T, { needs }: Pick<JobOrder, "needs">): T {
  return { ...demand, memory_gb: Math.max(demand.memory_gb, needs.memory_gb) };
}

function entrypointDemand({ cpus, gpus, memory_gb, resources, labels }: Demand): Partial<JobRequest> {
  return {
    ...(cpus > 0 && { entrypoint_num_cpus: cpus }),
    ...(gpus > 0 && { entrypoint_num_gpus: gpus }),
    ...(memory_gb > 0 && { entrypoint_memory: Math.ceil(memory_gb * GB) }),
    ...(Object.keys(resources).length > 0 && { entrypoint_resources: resources }),
    ...(Object.keys(labels).length > 0 && { entrypoint_label_selector: labels }),
  };
}
