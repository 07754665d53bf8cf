/** The runs: created once per id, executed one after the other (two at a time would only share the workers). */
import { CasslError, cancelled } from "../core/errors.js";
import type { ArtifactRef } from "../gen/cassl/v1/artifact_service.js";
import { type Run, type RunConfig, type RunEvent, State } from "../gen/cassl/v1/run.js";
import { type Config, parseConfig, withOverriddenGates } from "../pipeline/config.js";
import { configHash } from "../pipeline/pipeline.js";
import type { EmitEvent } from "../pipeline/step.js";
import { checkFiles, createDataRoots } from "./access/data-roots.js";
import { hasEnded, type RunLog } from "./run-log.js";
import type { ListedRun, RunQuery } from "./state.js";

/** What to do at start with runs that the last controller left under way. `leave`: nothing. */
export type Recovery = "resume" | "fail" | "leave";

/** Does the work of a run. */
export type ExecuteRun = (run: Run, config: Config, emit: EmitEvent, signal: AbortSignal) => Promise<FinishedRun>;

export interface FinishedRun {
  readonly finishedAt: Date;
  /** result.json. */
  readonly result: ArtifactRef;
}

export interface Runs {
  /**
   * CONFIG_INVALID names the field; PATH_NOT_ALLOWED names the path; RUN_EXISTS if the id is taken by another
   * configuration; LIMIT_EXCEEDED if too many runs wait.
   */
  create(runId: string, config: RunConfig | undefined): Run;
  /** RUN_NOT_FOUND if there is no such run. */
  get(runId: string): Run;
  /** Newest first. */
  list(query?: RunQuery): ListedRun[];
  /** Harmless for a run that has ended. RUN_NOT_FOUND if there is no such run. */
  cancel(runId: string): Run;
  /** Harmless for a run that has not ended. RUN_NOT_FOUND if there is no such run; RUN_FINISHED if it has succeeded. */
  retry(runId: string): Run;
  /** Goes on with a failed run without these gates. RUN_NOT_FOUND; GATE_NOT_FAILED if one has not stopped it. */
  overrideGates(runId: string, gates: readonly string[]): Run;
  /** RUN_NOT_FOUND if there is no such run. */
  watch(runId: string, afterSequence: number, signal: AbortSignal): AsyncIterable<RunEvent>;
  /** Resumes, or fails as INTERRUPTED, the runs that the last controller left unfinished. */
  recover(recovery: Recovery): void;
  /** Stops the run under way, which the next controller finds unfinished. */
  stop(): Promise<void>;
}

/** That wait or are under way. */
const MAX_UNFINISHED = 1000;

/** @param roots where the data of runs may be. */
export function createRuns(log: RunLog, execute: ExecuteRun, roots = createDataRoots(undefined)): Runs {
  /** Runs that wait or are under way, by id. */
  const active = new Map<string, AbortController>();
  let underWay: string | undefined;
  let stopping = false;
  let queue: Promise<void> = Promise.resolve();

  function get(runId: string): Run {
    const run = log.find(runId);
    if (run !== undefined) return run;
    throw new CasslError("RUN_NOT_FOUND", `There is no run \`${runId}\`.`, "`cassl runs` lists the runs there are.");
  }

  function checkRoom(): void {
    if (active.size >= MAX_UNFINISHED) throw tooMany();
  }

  function enqueue(runId: string): void {
    active.set(runId, new AbortController());
    queue = queue.then(() => executeNext(runId));
  }

  async function executeNext(runId: string): Promise<void> {
    const controller = active.get(runId);
    if (controller === undefined || stopping) return;
    const { signal } = controller;
    underWay = runId;
    try {
      log.start(runId);
      const run = get(runId);
      const config = withOverriddenGates(parseConfig(run.config), run.overridden_gates);
      // Of a run that an earlier controller took, with other roots.
      checkFiles(roots, config);
      const { finishedAt, result } = await execute(run, config, emitter(runId, controller), signal);
      log.succeed(runId, finishedAt, result);
    } catch (error) {
      if (!stopping) log.fail(runId, CasslError.from(signal.aborted ? signal.reason : error));
    }
    active.delete(runId);
    underWay = undefined;
  }

  /** An event that cannot be stored stops the run; it must not fail whoever reports it. */
  function emitter(runId: string, controller: AbortController): EmitEvent {
    return (event) => {
      try {
        log.append(runId, event);
      } catch (error) {
        controller.abort(error);
      }
    };
  }

  return {
    create(runId, config) {
      checkRunId(runId);
      const checked = parseConfig(config);
      checkFiles(roots, checked);
      const hash = configHash(checked);
      const known = log.find(runId);
      if (known !== undefined) return sameRun(known, hash);
      const created_at = new Date();
      checkRoom();
      log.add({
        run_id: runId,
        state: State.PENDING,
        config: checked,
        config_hash: hash,
        created_at,
        finished_at: undefined,
        overridden_gates: [],
      });
      enqueue(runId);
      return get(runId);
    },
    get,
    list: log.list,
    cancel(runId) {
      get(runId);
      if (runId === underWay) active.get(runId)?.abort(cancelled());
      else if (active.delete(runId)) log.fail(runId, cancelled());
      return get(runId);
    },
    retry(runId) {
      const run = get(runId);
      if (run.state === State.SUCCEEDED) throw alreadyFinished(runId);
      if (hasEnded(run)) {
        checkRoom();
        log.reopen(runId);
        enqueue(runId);
      }
      return get(runId);
    },
    overrideGates(runId, gates) {
      const run = get(runId);
      checkFailedGates(run, gates, log.failedGates(runId));
      checkRoom();
      log.reopen(runId, gates);
      enqueue(runId);
      return get(runId);
    },
    watch: (runId, afterSequence, signal) => log.watch(get(runId).run_id, afterSequence, signal),
    recover(recovery) {
      if (recovery === "leave") return;
      const unfinished = log.list({ states: [State.PENDING, State.RUNNING] }).map(({ run }) => run);
      for (const { run_id } of unfinished.reverse().filter((run) => !active.has(run.run_id))) {
        if (recovery === "resume") enqueue(run_id);
        else log.fail(run_id, interrupted());
      }
    },
    async stop() {
      stopping = true;
      for (const controller of active.values()) controller.abort(interrupted());
      await queue;
    },
  };
}

function alreadyFinished(runId: string): CasslError {
  return new CasslError(
    "RUN_FINISHED",
    `The run \`${runId}\` has succeeded: there is nothing to try again.`,
    "Create another run to do it anew.",
  );
}

function checkFailedGates({ run_id, state }: Run, gates: readonly string[], failed: readonly string[]): void {
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

function sameRun(known: Run, hash: string): Run {
  if (known.config_hash === hash) return known;
  throw new CasslError(
    "RUN_EXISTS",
    `There is a run \`${known.run_id}\` with another configuration.`,
    "Choose another run id.",
  );
}

/** A run's id is the name of its folder. */
function checkRunId(runId: string): void {
  if (/^[A-Za-z0-9_-][A-Za-z0-9._-]{0,127}$/.test(runId)) return;
  throw new CasslError(
    "CONFIG_INVALID",
    `The run id is ${JSON.stringify(runId)}.`,
    "Use 1 to 128 letters, digits, `-`, `_` and `.`, not starting with `.`.",
  );
}

function tooMany(): CasslError {
  return new CasslError(
    "LIMIT_EXCEEDED",
    `${MAX_UNFINISHED} runs wait or are under way, which is all that the controller takes.`,
    "Wait for some to end, or cancel some.",
  );
}

function interrupted(): CasslError {
  return new CasslError(
    "INTERRUPTED",
    "The controller stopped while the run was under way.",
    "Run the same configuration again: it goes on from its last checkpoint.",
  );
}
