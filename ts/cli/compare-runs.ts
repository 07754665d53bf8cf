/** The runs of a comparison, on a controller: planned, created or found again, and followed to their ends. */
import type { CasslClient } from "../client/client.js";
import type { DesignedRun } from "../comparison/design.js";
import type { StoppedRun } from "../comparison/results.js";
import type { FinishedRun } from "../comparison/trials.js";
import { describeRun } from "../comparison/verdict.js";
import { CasslError, fromErrorDetail } from "../core/errors.js";
import { State } from "../gen/cassl/v1/run.js";
import { toRunConfig } from "../pipeline/config.js";
import type { RunResult } from "../pipeline/pipeline.js";
import { followRun } from "./follow.js";
import type { ProgressView } from "./progress-view.js";

export interface RunOutcomes {
  readonly finished: readonly FinishedRun[];
  readonly stopped: readonly StoppedRun[];
}

export interface ComparisonPlan {
  /** What is left to do; undefined if some of it was never measured. */
  readonly seconds: number | undefined;
  readonly validation_images: number;
}

/** Curates the data of every run before the first one is trained. What a seed or share leaves impossible is said here. */
export async function planRuns(
  client: CasslClient,
  runs: readonly DesignedRun[],
  signal: AbortSignal,
): Promise<ComparisonPlan> {
  let seconds: number | undefined = 0;
  let validation_images = 0;
  for (const run of runs) {
    const plan = await client.planRun(toRunConfig(run.config), { signal }).catch((error: unknown) => {
      throw of(run, error);
    });
    seconds = seconds === undefined || plan.seconds === undefined ? undefined : seconds + plan.seconds;
    validation_images = plan.validation_images;
  }
  return { seconds, validation_images };
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
      await followRun(client, run.run_id, view, signal);
      finished.push({ run, result: await resultOf(client, run.run_id) });
    } catch (error) {
      const failure = CasslError.from(error);
      if (failure.reason !== "GATE_FAILED") throw of(run, failure);
      view.note(failure.message);
      stopped.push({ run, message: failure.message });
    }
  }
  return { finished, stopped };
}

/** Of the runs that have not ended. */
export async function cancelRuns(client: CasslClient, runs: readonly DesignedRun[]): Promise<void> {
  for (const { run_id } of runs) await client.cancelRun(run_id);
}

async function createOrRetry(client: CasslClient, { run_id, config }: DesignedRun, signal: AbortSignal): Promise<void> {
  const { state, error } = await client.createRun(run_id, toRunConfig(config), { signal });
  const hasFailed = state === State.FAILED || state === State.CANCELLED;
  if (hasFailed && (error === undefined || fromErrorDetail(error).reason !== "GATE_FAILED")) {
    await client.retryRun(run_id, { signal });
  }
}

async function resultOf(client: CasslClient, runId: string): Promise<RunResult> {
  const { result } = await client.getRun(runId);
  const bytes = await client.getArtifact(result?.sha256 ?? "");
  return JSON.parse(Buffer.from(bytes).toString()) as RunResult;
}

/** The error with the run in front of its message. */
function of(run: DesignedRun, error: unknown): CasslError {
  const { reason, message, remedy } = CasslError.from(error);
  if (reason === "CANCELLED") return CasslError.from(error);
  return new CasslError(reason, `${describeRun(run)}: ${message}`, remedy, { cause: error });
}
