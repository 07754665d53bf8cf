/** Why a job of Ray does not begin, in words. */
import type { JobRequest, NodeResources } from "./jobs.js";

const GB = 1e9;

/**
 * What a job asks for that no node of the cluster has, even if it were idle, such as `1 GPU`. Empty if one has it all.
 * Labels are not known of nodes here: a selector that no node meets leaves it empty.
 */
export function missingResources(job: JobRequest, nodes: readonly NodeResources[]): string[] {
  const demand = Object.entries({
    CPU: job.entrypoint_num_cpus ?? 0,
    GPU: job.entrypoint_num_gpus ?? 0,
    memory: job.entrypoint_memory ?? 0,
    ...job.entrypoint_resources,
  });
  const lacks = nodes.map((node) => demand.filter(([name, amount]) => amount > (node[name] ?? 0)));
  const [fewest = demand.filter(([, amount]) => amount > 0)] = lacks.toSorted((a, b) => a.length - b.length);
  return fewest.map(([name, amount]) => (name === "memory" ? `${amount / GB} GB of memory` : `${amount} ${name}`));
}

export interface Pending {
  /** In words. */
  readonly why: string;
  /** Whether waiting may be in vain: there is, or may be, no node for the job. */
  readonly isDoubtful: boolean;
}

/** What to tell of a job that is pending. */
export function describePending(job: JobRequest, nodes: readonly NodeResources[]): Pending {
  // A cluster has its head at least: without any node, Ray has not said yet what there is.
  const missing = nodes.length === 0 ? [] : missingResources(job, nodes);
  if (missing.length > 0) return { why: `No node of the cluster has ${missing.join(" and ")}.`, isDoubtful: true };
  const busy = "Ray has not begun the job: the nodes are busy, or its environment is being made";
  const labels = Object.entries(job.entrypoint_label_selector ?? {}).map(([key, value]) => `${key}=${value}`);
  if (labels.length === 0) return { why: `${busy}.`, isDoubtful: false };
  return { why: `${busy}, or no node has the labels ${labels.join(", ")}.`, isDoubtful: true };
}
