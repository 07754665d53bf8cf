/** The runs: created once per id. Some are executed at a time, which share the workers; the others wait in a queue. */
import { CasslError, cancelled } from "../core/errors.js";
import type { ArtifactRef } from "../gen/cassl/v1/artifact_service.js";
import { Run, type RunConfig, type RunEvent, State } from "../gen/cassl/v1/run.js";
import { type Config, type ExecutorName, parseConfig, withOverriddenGates } from "../pipeline/config.js";
import { configHash } from "../pipeline/pipeline.js";
import type { EmitEvent } from "../pipeline/step.js";
import { checkFiles, createDataRoots, type DataRoots } from "./access/data-roots.js";
import { hasEnded, type RunLog } from "./run-log.js";
import { createRunQueue } from "./run-queue.js";
import {
  alreadyFinished,
  checkExecutors,
  checkFailedGates,
  checkRunId,
  interrupted,
  sameRun,
  tooMany,
} from "./run-refusals.js";
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
   * CONFIG_INVALID names the field; PATH_NOT_ALLOWED names the path; RAY_NOT_SET_UP; RUN_EXISTS if the id is taken by another
   * configuration; LIMIT_EXCEEDED if too many runs wait.
   * @param priority see Run. A run that is there keeps its own. @default 0
   */
  create(runId: string, config: RunConfig | undefined, priority?: number): Run;
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
  /** Hears of every run that changes or has a new event, as often as that happens. It does not throw. */
  onChange(listener: (runId: string) => void): void;
  /** Resumes, or fails as INTERRUPTED, the runs that the last controller left unfinished. */
  recover(recovery: Recovery): void;
  /** Stops the runs under way, which the next controller finds unfinished. */
  stop(): Promise<void>;
}

/** That wait or are under way. */
const MAX_UNFINISHED = 1000;

export interface RunsOptions {
  /** Where the data of runs may be. @default everywhere */
  readonly roots?: DataRoots;
  /** Who can do tasks. @default attached workers */
  readonly executors?: readonly ExecutorName[];
  /** How many runs may be under way at a time. */
  readonly atOnce: number;
}

export function createRuns(
  log: RunLog,
  execute: ExecuteRun,
  { roots = createDataRoots(undefined), executors = ["local"], atOnce }: RunsOptions,
): Runs {
  const queue = createRunQueue();
  /** Runs that are under way. */
  const underWay = new Map<string, { readonly stopping: AbortController; readonly ended: Promise<void> }>();
  let isStopping = false;

  function get(runId: string): Run {
    const run = log.find(runId);
    if (run !== undefined) return withPosition(run);
    throw new CasslError("RUN_NOT_FOUND", `There is no run \`${runId}\`.`, "`cassl runs` lists the runs there are.");
  }

  function checkRoom(): void {
    if (underWay.size + queue.size() >= MAX_UNFINISHED) throw tooMany(MAX_UNFINISHED);
  }

  function enqueue({ run_id, priority }: Run): void {
    queue.add(run_id, priority);
    // Later, so that who creates a run sees it wait, and what comes at the same time goes in by priority.
    setImmediate(beginNext);
  }

  function beginNext(): void {
    while (!isStopping && underWay.size < atOnce) {
      const runId = queue.next();
      if (runId === undefined) return;
      begin(runId);
    }
  }

  function begin(runId: string): void {
    const stopping = new AbortController();
    const ended = Promise.resolve().then(() => executeOne(runId, stopping));
    underWay.set(runId, { stopping, ended });
  }

  /** A run that was under way keeps its place, if there are as many as before. */
  function resume(run: Run): void {
    if (wasRunning(run) && underWay.size < atOnce) begin(run.run_id);
    else {
      if (wasRunning(run)) log.reopen(run.run_id);
      enqueue(run);
    }
  }

  async function executeOne(runId: string, stopping: AbortController): Promise<void> {
    try {
      log.start(runId);
      const run = get(runId);
      const config = withOverriddenGates(parseConfig(run.config), run.overridden_gates);
      // Of a run that an earlier controller took, which had other roots or executors.
      checkFiles(roots, config);
      checkExecutors(executors, config);
      const { finishedAt, result } = await execute(run, config, emitter(runId, stopping), stopping.signal);
      log.succeed(runId, finishedAt, result);
    } catch (error) {
      const { signal } = stopping;
      if (!isStopping) log.fail(runId, CasslError.from(signal.aborted ? signal.reason : error));
    }
    underWay.delete(runId);
    beginNext();
  }

  function isUnfinished({ run_id }: Run): boolean {
    return underWay.has(run_id) || queue.positionOf(run_id) !== undefined;
  }

  function withPosition(run: Run): Run {
    const queue_position = queue.positionOf(run.run_id);
    return queue_position === undefined ? run : { ...run, queue_position };
  }

  /** An event that cannot be stored stops the run; it must not fail whoever reports it. */
  function emitter(runId: string, stopping: AbortController): EmitEvent {
    return (event) => {
      try {
        log.append(runId, event);
      } catch (error) {
        stopping.abort(error);
      }
    };
  }

  return {
    create(runId, config, priority = 0) {
      checkRunId(runId);
      const checked = parseConfig(config);
      checkFiles(roots, checked);
      checkExecutors(executors, checked);
      const hash = configHash(checked);
      const known = log.find(runId);
      if (known !== undefined) return withPosition(sameRun(known, hash));
      checkRoom();
      const run = Run.create({
        run_id: runId,
        state: State.PENDING,
        config_hash: hash,
        created_at: new Date(),
        priority,
      });
      log.add({ ...run, config: checked });
      enqueue(run);
      return get(runId);
    },
    get,
    list: (query) => log.list(query).map(({ position, run }) => ({ position, run: withPosition(run) })),
    cancel(runId) {
      get(runId);
      if (queue.remove(runId)) log.fail(runId, cancelled());
      else underWay.get(runId)?.stopping.abort(cancelled());
      return get(runId);
    },
    retry(runId) {
      const run = get(runId);
      if (run.state === State.SUCCEEDED) throw alreadyFinished(runId);
      if (hasEnded(run)) {
        checkRoom();
        log.reopen(runId);
        enqueue(run);
      }
      return get(runId);
    },
    overrideGates(runId, gates) {
      const run = get(runId);
      checkFailedGates(run, gates, log.failedGates(runId));
      checkRoom();
      log.reopen(runId, gates);
      enqueue(run);
      return get(runId);
    },
    watch: (runId, afterSequence, signal) => log.watch(get(runId).run_id, afterSequence, signal),
    onChange: log.onChange,
    recover(recovery) {
      if (recovery === "leave") return;
      const left = log
        .list({ states: [State.PENDING, State.RUNNING] })
        .map(({ run }) => run)
        .reverse()
        .filter((run) => !isUnfinished(run))
        .sort((a, b) => Number(wasRunning(b)) - Number(wasRunning(a)) || b.priority - a.priority);
      for (const run of left) {
        if (recovery === "fail") log.fail(run.run_id, interrupted());
        else resume(run);
      }
    },
    async stop() {
      isStopping = true;
      const runs = [...underWay.values()];
      for (const { stopping } of runs) stopping.abort(interrupted());
      await Promise.all(runs.map(({ ended }) => ended));
    },
  };
}

function wasRunning({ state }: Run): boolean {
  return state === State.RUNNING;
}
