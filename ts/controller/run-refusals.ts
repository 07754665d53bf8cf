/** Why a run is not taken. */
import { CasslError } from "../core/errors.js";
import { type Run, State } from "../gen/cassl/v1/run.js";
import type { Config, ExecutorName } from "../pipeline/config.js";

export function alreadyFinished(runId: string): CasslError {
  return new CasslError(
    "RUN_FINISHED",
    `The run \`${runId}\` has succeeded: there is nothing to try again.`,
    "Create another run to do it anew.",
  );
}

/** GATE_NOT_FAILED unless the run has failed at all of the gates. @param failed those that it has failed at. */
export function checkFailedGates({ run_id, state }: Run, gates: readonly string[], failed: readonly string[]): void {
  const other = gates.find((gate) => !failed.includes(gate));
  if (state === State.FAILED && gates.length > 0 && other === undefined) return;
  throw new CasslError(
    "GATE_NOT_FAILED",
    `The run \`${run_id}\` was not stopped by the gate ${JSON.stringify(other ?? gates[0] ?? "")}.`,
    state === State.FAILED && failed.length > 0
      ? `Name one that was: ${failed.join(", ")}.`
      : "No gate holds it up: `cassl watch` shows what does.",
  );
}

/** RAY_NOT_SET_UP if the run wants an executor that is none of these. */
export function checkExecutors(there: readonly ExecutorName[], { executor }: Config): void {
  for (const [kind, wanted] of Object.entries(executor)) {
    if (there.includes(wanted)) continue;
    const message = `The run has its tasks of the kind ${kind} done by Ray, and the controller was started without a cluster.`;
    throw new CasslError("RAY_NOT_SET_UP", message, "Start it with --ray FILE, or set `executor: local`.");
  }
}

export function sameRun(known: Run, hash: string): Run {
  if (known.config_hash === hash) return known;
  throw new CasslError(
    "RUN_EXISTS",
    `There is a run \`${known.run_id}\` with another configuration.`,
    "Choose another run id.",
  );
}

/** A run's id is the name of its folder. */
export function checkRunId(runId: string): void {
  if (/^[A-Za-z0-9_-][A-Za-z0-9._-]{0,127}$/.test(runId)) return;
  throw new CasslError(
    "CONFIG_INVALID",
    `The run id is ${JSON.stringify(runId)}.`,
    "Use 1 to 128 letters, digits, `-`, `_` and `.`, not starting with `.`.",
  );
}

/** @param most runs that the controller takes. */
export function tooMany(most: number): CasslError {
  return new CasslError(
    "LIMIT_EXCEEDED",
    `${most} runs wait or are under way, which is all that the controller takes.`,
    "Wait for some to end, or cancel some.",
  );
}

export function interrupted(): CasslError {
  return new CasslError(
    "INTERRUPTED",
    "The controller stopped while the run was under way.",
    "Run the same configuration again: it goes on from its last checkpoint.",
  );
}
