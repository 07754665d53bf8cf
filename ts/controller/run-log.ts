/** Runs and their events: kept in the state, and pushed to those who watch. */
import { EventEmitter, once } from "node:events";
import { type CasslError, toErrorDetail } from "../core/errors.js";
import type { ArtifactRef } from "../gen/cassl/v1/artifact_service.js";
import { type Run, type RunEvent, State } from "../gen/cassl/v1/run.js";
import type { ListedRun, RunQuery, StateStore } from "./state.js";

export interface RunLog {
  add(run: Run): void;
  find(runId: string): Run | undefined;
  /** Newest first. */
  list(query?: RunQuery): ListedRun[];
  append(runId: string, event: RunEvent["event"]): void;
  start(runId: string): void;
  /** Makes a run that has ended wait again. @param overriding gates that stop it no more. */
  reopen(runId: string, overriding?: readonly string[]): void;
  /** Names of the gates that were neither passed nor overridden when the run was last under way. */
  failedGates(runId: string): string[];
  /** Never throws: where the end cannot be stored, it is known until the controller stops. */
  succeed(runId: string, finishedAt: Date, result: ArtifactRef): void;
  /** The run is cancelled if that is the reason, failed otherwise. Never throws, like `succeed`. */
  fail(runId: string, error: CasslError): void;
  /**
   * The events after a sequence number, and those to come until the run ends. They are read from the log as the watcher
   * asks for them, a page at a time: one that is slow falls behind, and holds up nobody.
   */
  watch(runId: string, afterSequence: number, signal: AbortSignal): AsyncGenerator<RunEvent, void, undefined>;
  /** Hears of every run that changes or has a new event, once that is stored. It does not throw. */
  onChange(listener: (runId: string) => void): void;
}

const PAGE = 500;
const ANY = "any run";
/** What is emitted of a run: its id alone might be `error`, which means something to an emitter. */
const ofRun = (runId: string): string => `run ${runId}`;

/** Hears of state changes, gates and evaluations once they are stored. It does not throw. */
export type OnRunNews = (run: Run, event: RunEvent) => void;

export function createRunLog(state: StateStore, onNews: OnRunNews = () => {}): RunLog {
  const changes = new EventEmitter().setMaxListeners(0);
  /** Ends that could not be stored, as on a full disk, where of all things the reason must be told. */
  const unstored = new Map<string, { run: Run; event: RunEvent }>();

  function find(runId: string): Run | undefined {
    return unstored.get(runId)?.run ?? state.findRun(runId);
  }

  function tell(runId: string): void {
    changes.emit(ofRun(runId));
    changes.emit(ANY, runId);
  }

  function change(run: Run): void {
    const value = { state: run.state, error: run.error };
    const event = state.transaction(() => {
      state.saveRun(run);
      return state.appendEvent(run.run_id, new Date(), { $case: "state_changed", value });
    });
    onNews(run, event);
    tell(run.run_id);
  }

  function end(run: Run): void {
    try {
      change(run);
    } catch (error) {
      const failed = run.state === State.SUCCEEDED ? { ...run, state: State.FAILED, error: toErrorDetail(error) } : run;
      const value = { state: failed.state, error: failed.error };
      const sequence = state.lastSequence(run.run_id) + 1;
      const event: RunEvent = { sequence, at: new Date(), event: { $case: "state_changed", value } };
      unstored.set(run.run_id, { run: failed, event });
      onNews(failed, event);
      tell(run.run_id);
    }
  }

  function eventsAfter(runId: string, sequence: number): RunEvent[] {
    const stored = state.eventsAfter(runId, sequence, PAGE);
    const last = unstored.get(runId)?.event;
    return stored.length > 0 || last === undefined || last.sequence <= sequence ? stored : [last];
  }

  return {
    add: change,
    find,
    list: (query) =>
      state.listRuns(query).map(({ position, run }) => ({ position, run: unstored.get(run.run_id)?.run ?? run })),
    append(runId, event) {
      const stored = state.appendEvent(runId, new Date(), event);
      if (event?.$case === "gate_checked" || event?.$case === "arm_evaluated") onNews(find(runId) as Run, stored);
      tell(runId);
    },
    failedGates: (runId) => failedGates(state.eventsAfter(runId, 0)),
    start: (runId) => change({ ...(find(runId) as Run), state: State.RUNNING }),
    reopen(runId, overriding = []) {
      const run = find(runId) as Run;
      const overridden_gates = [...new Set([...run.overridden_gates, ...overriding])];
      change({ ...run, state: State.PENDING, finished_at: undefined, error: undefined, overridden_gates });
      unstored.delete(runId);
    },
    succeed: (runId, finished_at, result) =>
      end({ ...(find(runId) as Run), state: State.SUCCEEDED, finished_at, result }),
    fail(runId, error) {
      const endState = error.reason === "CANCELLED" ? State.CANCELLED : State.FAILED;
      end({ ...(find(runId) as Run), state: endState, finished_at: new Date(), error: toErrorDetail(error) });
    },

    async *watch(runId, afterSequence, signal) {
      let sequence = afterSequence;
      for (;;) {
        const events = eventsAfter(runId, sequence);
        for (const event of events) {
          yield event;
          sequence = event.sequence;
        }
        if (events.length > 0) continue;
        // The state, because the log of a run that was tried again has several ends.
        if (hasEnded(find(runId))) return;
        await once(changes, ofRun(runId), { signal });
      }
    },
    onChange: (listener) => void changes.on(ANY, listener),
  };
}

function failedGates(events: readonly RunEvent[]): string[] {
  const failed = new Set<string>();
  for (const { event } of events) {
    if (event?.$case === "state_changed" && event.value.state === State.RUNNING) failed.clear();
    if (event?.$case === "gate_checked" && !event.value.passed && !event.value.overridden) failed.add(event.value.name);
  }
  return [...failed];
}

export function hasEnded(run: Run | undefined): boolean {
  return run !== undefined && run.state !== State.PENDING && run.state !== State.RUNNING;
}
