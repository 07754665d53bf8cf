/** The runs of a comparison, on a controller: planned, created or found again, and followed to their ends. */
import type { CasslClient } from "../client/client.js";
import type { DesignedRun } from "../comparison/design.js";
import type { StoppedRun } from "../comparison/results.js";
import type { FinishedRun } from "../comparison/trials.js";
import { describeRun } from "../comparison/verdict.js";
import { CasslError, fromErrorDetail } from "../core/errors.js";
import { hasFailed } from "../core/run-state.js";
import { toRunConfig } from "../pipeline/config.js";
import { followRun } from "./follow.js";
import type { ProgressView } from "./progress-view.js";

export interface RunOutcomes {
  readonly finished: readonly FinishedRun[];
  readonly stopped: readonly StoppedRun[];
}

/**
 * Curates the data of every run before the first one is trained. What a seed or share leaves impossible is said here.
 * @returns seconds of work that is left; undefined if some of it was never measured.
 */
export async function planRuns(
  client: CasslClient,
  runs: readonly DesignedRun[],
  signal: AbortSignal,
): Promise<number | undefined> {
  let total: number | undefined = 0;
  for (const run of runs) {
    const { seconds } = await client.planRun(toRunConfig(run.config), { signal }).catch((error: unknown) => {
      throw of(run, error);
    });
    total = total === undefined || seconds === undefined ? undefined : total + seconds;
  }
  return total;
}

/**
 * Creates all runs, so that the controller may spread them over its workers, and follows them one after the other. A run that
 * was interrupted or has failed goes on; one that a gate stopped stays stopped. An error of any other kind ends the comparison.
 */
export async function completeRuns(
  client: CasslClient,
  runs: readonly DesignedRun[],
  view: ProgressView,
  signal: AbortSignal,
): Promise<RunOutcomes> {
  const finished: FinishedRun[] = [];
  const stopped: StoppedRun[] = [];
  for (const run of runs) await createOrRetry(client, run, signal);
  for (const [n, run] of runs.entries()) {
    view.note(`[${n + 1}/${runs.length}] ${describeRun(run)}`);
    try {
      const ended = await followRun(client, run.run_id, view, signal);
      finished.push({ run, result: await client.readResult(ended) });
    } catch (error) {
      const failure = CasslError.from(error);
      if (failure.reason !== "GATE_FAILED") throw of(run, failure);
      view.note(failure.message);
      stopped.push({ run, message: failure.message });
    }
  }
  return { finished, stopped };
}

/** Those that have been created and not ended. */
export async function cancelRuns(client: CasslClient, runs: readonly DesignedRun[]): Promise<void> {
  for (const { run_id } of runs) {
    await client.cancelRun(run_id).catch((error: unknown) => {
      if (CasslError.from(error).reason !== "RUN_NOT_FOUND") throw error;
    });
  }
}

async function createOrRetry(client: CasslClient, { run_id, config }: DesignedRun, signal: AbortSignal): Promise<void> {
  const run = await client.createRun(run_id, toRunConfig(config), { signal });
  if (hasFailed(run) && (run.error === undefined || fromErrorDetail(run.error).reason !== "GATE_FAILED")) {
    await client.retryRun(run_id, { signal });
  }
}

/** The error with the run in front of its message. */
function of(run: DesignedRun, error: unknown): CasslError {
  const { reason, message, remedy } = CasslError.from(error);
  if (reason === "CANCELLED") return CasslError.from(error);
  return new CasslError(reason, `${describeRun(run)}: ${message}`, remedy, { cause: error });
}
