/**
 * The steps that are being done, for whichever runs: a run that comes to a step which another one is at does not do it too,
 * but waits for the same work. The work goes on until it is done, or until all who waited for it have gone.
 */
import { orAborted } from "../core/concurrency.js";
import type { RunEvent, StepProgress } from "../gen/cassl/v1/run.js";

export type EmitEvent = (event: NonNullable<RunEvent["event"]>) => void;

/** A run, as far as what it shares with others is concerned. One object for the whole run. */
export interface RunShare {
  readonly runId: string;
  /** See Run. */
  readonly priority: number;
}

/** A run that waits for a step. */
export interface Participant {
  readonly run: RunShare;
  /** What the run calls the step, such as `class_agnostic/warmup`. */
  readonly step: string;
  readonly emit: EmitEvent;
  readonly signal: AbortSignal;
}

/** What a step's work is given. */
export interface StepContext {
  readonly key: string;
  /** Aborts when nobody waits for the step any more. */
  readonly signal: AbortSignal;
  /** Who waits for the step: runs may come and go. */
  readonly participants: ReadonlySet<Participant>;
  progress(progress: StepProgress["progress"]): void;
  /** Tells all who wait. */
  readonly emit: EmitEvent;
  /** For so long nothing could be done: it is not counted as time of the work. */
  noteIdle(seconds: number): void;
}

export interface StepsUnderWay {
  /**
   * What the work that is under way comes to, or `work`, which begins then. Rejects with the reason of the participant's
   * signal when that aborts; the last one to go waits for the work to stop.
   */
  join<T>(key: string, participant: Participant, work: (context: StepContext) => Promise<T>): Promise<Joined<T>>;
}

export interface Joined<T> {
  readonly value: T;
  /** Whether the work was begun for another participant. */
  readonly isShared: boolean;
}

interface JointWork {
  readonly participants: Set<Participant>;
  readonly stopping: AbortController;
  readonly outcome: Promise<unknown>;
}

export function createStepsUnderWay(): StepsUnderWay {
  const underWay = new Map<string, JointWork>();

  function begin(key: string, first: Participant, work: (context: StepContext) => Promise<unknown>): JointWork {
    const participants = new Set([first]);
    const stopping = new AbortController();
    const outcome = work(contextOf(key, participants, stopping.signal));
    const joint = { participants, stopping, outcome };
    underWay.set(key, joint);
    const forget = (): void => remove(key, joint);
    outcome.then(forget, forget);
    return joint;
  }

  function remove(key: string, joint: JointWork): void {
    if (underWay.get(key) === joint) underWay.delete(key);
  }

  async function leave(key: string, joint: JointWork, { signal }: Participant): Promise<void> {
    if (!signal.aborted || joint.participants.size > 0) return;
    // Who comes now begins anew: this work is about to stop.
    remove(key, joint);
    joint.stopping.abort(signal.reason);
    await joint.outcome.catch(() => {});
  }

  return {
    async join<T>(key: string, participant: Participant, work: (context: StepContext) => Promise<T>) {
      const known = underWay.get(key);
      const joint = known ?? begin(key, participant, work);
      joint.participants.add(participant);
      try {
        const value = (await orAborted(joint.outcome, participant.signal)) as T;
        return { value, isShared: known !== undefined };
      } finally {
        joint.participants.delete(participant);
        await leave(key, joint, participant);
      }
    },
  };
}

function contextOf(key: string, participants: ReadonlySet<Participant>, signal: AbortSignal): StepContext {
  return {
    key,
    signal,
    participants,
    progress(progress) {
      for (const { step, emit } of participants) emit({ $case: "step_progress", value: { step, key, progress } });
    },
    emit(event) {
      for (const { emit } of participants) emit(event);
    },
    noteIdle: () => {},
  };
}
