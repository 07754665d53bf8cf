/**
 * The only trick of the control plane: a step whose name, version and inputs have been seen before returns its stored result.
 * Resume after a crash, skipping unchanged stages, and sharing stages between arms, seeds and targets all follow from it.
 */
import type { ArtifactStore } from "../core/artifacts.js";
import { canonicalJson, sha256 } from "../core/hash.js";
import {
  createStepsUnderWay,
  type EmitEvent,
  type RunShare,
  type StepContext,
  type StepsUnderWay,
} from "./steps-under-way.js";

export type { EmitEvent, RunShare, StepContext } from "./steps-under-way.js";

/** Raise a step's version when the same inputs would now give another result. */
const VERSIONS = {
  curate: 4,
  hold_out: 1,
  pretrain: 1,
  mean_teacher: 1,
  pseudo_labeler: 2,
  predict_held_out: 1,
  choose_threshold: 1,
  predict: 3,
  select: 2,
  warmup: 3,
  finetune: 2,
  export: 3,
  evaluate: 1,
} as const;

export type StepName = keyof typeof VERSIONS;

export interface StepRecord {
  readonly key: string;
  readonly name: string;
  /** JSON text of the step's output. */
  readonly output: string;
  /** Time of the work itself. */
  readonly seconds: number;
}

/** Finished steps, across runs. */
export interface StepStore {
  findStep(key: string): StepRecord | undefined;
  saveStep(record: StepRecord): void;
}

/** What a run's result says of each of its steps. */
export interface StepSummary {
  readonly name: string;
  readonly key: string;
  readonly reused: boolean;
  readonly seconds: number;
}

export interface Steps {
  /**
   * Returns the stored output of the step, or does its work and stores it.
   * @param scope shown before the name and not part of the key, so that arms share equal steps.
   * @param inputs everything that decides the output: artifacts by hash, numbers, no paths of this machine.
   */
  run<T extends object>(
    scope: string,
    name: StepName,
    inputs: object,
    work: (context: StepContext) => Promise<T>,
  ): Promise<T>;
  readonly summaries: readonly StepSummary[];
}

/** What runs have in common while they are under way. */
export interface Sharing {
  readonly underWay: StepsUnderWay;
  readonly run: RunShare;
}

/** @param sharing left out by who shares no step with others. */
export function createSteps(
  store: StepStore,
  artifacts: ArtifactStore,
  emit: EmitEvent,
  signal: AbortSignal,
  { underWay, run }: Sharing = { underWay: createStepsUnderWay(), run: { runId: "", priority: 0 } },
): Steps {
  const summaries: StepSummary[] = [];

  return {
    summaries,
    async run<T extends object>(
      scope: string,
      name: StepName,
      inputs: object,
      work: (context: StepContext) => Promise<T>,
    ) {
      signal.throwIfAborted();
      const key = stepKey(name, inputs);
      const step = stepLabel(scope, name);
      emit({ $case: "step_started", value: { step, key } });
      const { value, isShared } = await underWay.join(key, { run, step, emit, signal }, (context) =>
        findOrDo(name, context, store, artifacts, work),
      );
      const { record } = value;
      const summary = { key, reused: value.isKnown || isShared, seconds: record.seconds };
      summaries.push({ name: step, ...summary });
      emit({ $case: "step_finished", value: { step, ...summary } });
      return JSON.parse(record.output) as T;
    },
  };
}

async function findOrDo(
  name: StepName,
  context: StepContext,
  store: StepStore,
  artifacts: ArtifactStore,
  work: (context: StepContext) => Promise<object>,
): Promise<{ readonly record: StepRecord; readonly isKnown: boolean }> {
  const { key, signal } = context;
  const known = await findFinished(store, artifacts, key);
  if (known !== undefined) return { record: known, isKnown: true };

  let idleSeconds = 0;
  const noteIdle = (seconds: number): void => {
    idleSeconds += seconds;
  };
  const started = performance.now();
  const output = await work({ ...context, noteIdle });
  signal.throwIfAborted();
  const seconds = Math.max(0, (performance.now() - started) / 1000 - idleSeconds);
  const record = { key, name, output: canonicalJson(output), seconds };
  store.saveStep(record);
  return { record, isKnown: false };
}

/** What the result of a step is found by. */
export function stepKey(name: StepName, inputs: object): string {
  return sha256(canonicalJson({ name, version: VERSIONS[name], inputs }));
}

/** How a step is called in a run: its name within the arm that it is of, if it is of one. */
export function stepLabel(scope: string, name: StepName): string {
  return scope === "" ? name : `${scope}/${name}`;
}

/** A finished step whose artifacts are all there. */
export async function findFinished(
  store: StepStore,
  artifacts: ArtifactStore,
  key: string,
): Promise<StepRecord | undefined> {
  const known = store.findStep(key);
  return known !== undefined && (await holdsAll(artifacts, JSON.parse(known.output))) ? known : undefined;
}

/** Whether every artifact that a stored output refers to, by a member `sha256`, is still there. */
async function holdsAll(artifacts: ArtifactStore, output: unknown): Promise<boolean> {
  if (output === null || typeof output !== "object") return true;
  if ("sha256" in output && typeof output.sha256 === "string" && (await artifacts.stat(output.sha256)) === undefined) {
    return false;
  }
  const held = await Promise.all(Object.values(output).map((member) => holdsAll(artifacts, member)));
  return held.every(Boolean);
}
