/** What the finished steps of a run have left. */
import type { StepStore } from "../pipeline/step.js";
import type { RunTable } from "./state.js";

export type FinishedSteps = Pick<RunTable, "finishedSteps"> & Pick<StepStore, "findStep">;

/** By the name of the step in the run; where one was finished several times, the last time counts. */
export function stepOutputs(runId: string, state: FinishedSteps): ReadonlyMap<string, unknown> {
  return new Map(
    state.finishedSteps(runId).flatMap(({ step, key }) => {
      const record = state.findStep(key);
      return record === undefined ? [] : [[step, JSON.parse(record.output) as unknown]];
    }),
  );
}

const PREDICTION = "/predict";

/** The rounds of labeling that have predictions, such as `class_agnostic` and `class_agnostic/round_2`, in their order. */
export function labelingScopes(outputs: ReadonlyMap<string, unknown>): string[] {
  const predicted = [...outputs.keys()].filter((step) => step.endsWith(PREDICTION));
  return predicted.map((step) => step.slice(0, -PREDICTION.length));
}

/** The steps that have evaluated a detector, in their order. */
export function evaluationSteps(outputs: ReadonlyMap<string, unknown>): string[] {
  return [...outputs.keys()].filter((step) => /(^|\/)evaluate$/.test(step));
}
