/**
 * The executor `ray`: for each attempt at a task one job of a Ray cluster, whose worker dials in like any other and does that
 * attempt alone. Ray schedules, places and restarts processes; which attempt counts is decided here.
 */
import { resolve } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { CasslError } from "../../core/errors.js";
import { sha256 } from "../../core/hash.js";
import { demandOf, kindOf } from "../../ray/job-request.js";
import { connectRay, type RayJobs } from "../../ray/jobs.js";
import type { RayCluster } from "../../ray/settings.js";
import type { Provided, ProvidedTask } from "../tasks/provided.js";
import { followAttempt, type JobContext } from "./attempt.js";

export interface RayExecutor {
  /**
   * RAY_UNREACHABLE, RAY_TOKEN_REFUSED, RAY_VERSION_MISMATCH, or CONFIG_INVALID if jobs could not attach.
   * @param entrance where this machine's workers attach, and whether a token is demanded there.
   */
  start(entrance: JobEntrance, tasks: Provided): Promise<void>;
  /** To be called after the tasks have ended. */
  stop(): Promise<void>;
}

export interface JobEntrance {
  readonly address: string;
  readonly needsToken: boolean;
}

export interface RayExecutorOptions {
  readonly cluster: RayCluster;
  readonly workspace: string;
  /** Given every line that jobs write, where it is to be had. */
  readonly onOutput: ((line: string) => void) | undefined;
  /** How often to look at tasks and jobs. @default 1000 */
  readonly pollMs?: number;
}

/** The first version that this was made with; labels of nodes and Train's second API are in none that is much older. */
const OLDEST_RAY = { text: "2.60", major: 2, minor: 60 };

export function createRayExecutor({ cluster, workspace, onOutput, pollMs = 1000 }: RayExecutorOptions): RayExecutor {
  const jobs = connectRay(cluster);
  const stopping = new AbortController();
  const followed = new Map<string, Promise<void>>();
  let looking: Promise<void> | undefined;

  async function look(context: JobContext): Promise<void> {
    while (!stopping.signal.aborted) {
      for (const task of context.tasks.ofExecutor("ray")) {
        const { taskId } = task;
        if (followed.has(taskId)) continue;
        followed.set(
          taskId,
          followTask(task, context).finally(() => followed.delete(taskId)),
        );
      }
      await delay(pollMs, undefined, { signal: stopping.signal }).catch(() => {});
    }
  }

  /** Attempt after attempt, until the task is done. */
  async function followTask(task: ProvidedTask, context: JobContext): Promise<void> {
    try {
      checkNeeds(task, cluster);
      while (isUnderWay(task, context.tasks) && !stopping.signal.aborted) await followAttempt(task, context);
    } catch (error) {
      context.tasks.failTask(task.taskId, CasslError.from(error));
    }
  }

  return {
    async start(entrance, tasks) {
      const rayVersion = await checkedVersion(jobs);
      const submitter = { controller: sha256(resolve(workspace)).slice(0, 16), address: jobAddress(entrance, cluster) };
      looking = look({ cluster, jobs, tasks, submitter, rayVersion, onOutput, pollMs, stopping: stopping.signal });
    },
    async stop() {
      stopping.abort();
      await looking;
      await Promise.all(followed.values());
    },
  };
}

function isUnderWay({ taskId }: ProvidedTask, tasks: Provided): boolean {
  return tasks.ofExecutor("ray").some((task) => task.taskId === taskId);
}

async function checkedVersion(jobs: RayJobs): Promise<string> {
  const found = await jobs.version();
  const [major = 0, minor = 0] = found.split(".").map(Number);
  if (major === OLDEST_RAY.major && minor >= OLDEST_RAY.minor) return found;
  throw new CasslError(
    "RAY_VERSION_MISMATCH",
    `The cluster runs Ray ${found || "(no version)"}; this cassl needs ${OLDEST_RAY.text} or a later ${OLDEST_RAY.major}.x.`,
    `Install ray==${OLDEST_RAY.text}.0 on all nodes, and restart the cluster.`,
  );
}

/** Where jobs attach. */
function jobAddress({ address, needsToken }: JobEntrance, { controller }: RayCluster): string {
  if (needsToken && controller.token_file === undefined) {
    throw new CasslError(
      "CONFIG_INVALID",
      "The controller demands tokens, and the file of --ray names none for jobs.",
      "Make one with `cassl token create --role worker`, put it where all nodes find it, and name that as `controller.token_file`.",
    );
  }
  if (controller.address !== undefined) return controller.address;
  if (!/^(0\.0\.0\.0|\[::\]):/.test(address)) return address;
  throw new CasslError(
    "CONFIG_INVALID",
    `The controller listens on all addresses, ${address}, and the file of --ray does not say which one jobs reach.`,
    "Name it as `controller.address`, such as 10.0.0.5:7070.",
  );
}

/** CONFIG_INVALID if the run needs what the cluster's jobs are not given. */
function checkNeeds({ task, needs }: ProvidedTask, cluster: RayCluster): void {
  const kind = kindOf(task);
  if (needs.device !== "cuda" || demandOf(cluster, kind).gpus > 0) return;
  throw new CasslError(
    "CONFIG_INVALID",
    `The run needs a GPU, and \`${kind}.gpus\` in the file of --ray is 0.`,
    "Raise it, or set needs.device to any.",
  );
}
