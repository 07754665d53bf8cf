/**
 * What a run would do. The pipeline itself is run, on steps that look into the memo and do no work: what has been done gives
 * its stored result, everything else a result that is unknown, as is what is asked of it. Only what finds the images is done,
 * because nothing can be said without; a run reuses it.
 */
import type { Config } from "./config.js";
import type { CurationContext } from "./image-sets.js";
import { runPipeline } from "./pipeline.js";
import {
  findFinished,
  type StepContext,
  type StepName,
  type StepStore,
  type Steps,
  stepKey,
  stepLabel,
} from "./step.js";
import { holdsUnknown, unknownValue } from "./unknown.js";

/** `reused`: the result is there, or an earlier step of the plan makes it. `depends`: it runs, unless the results before it turn out to be known ones. */
export type PlannedState = "reused" | "runs" | "depends";

export interface PlannedStep {
  /** Such as `class_agnostic/warmup`. */
  readonly step: string;
  readonly name: StepName;
  readonly state: PlannedState;
  /** Absent if the inputs are not known before the run. */
  readonly key?: string;
  readonly inputs: object;
}

/** What of a pipeline's context a plan needs. `steps` do what finds the images. */
export interface PlanContext extends CurationContext {
  readonly store: StepStore;
}

const DONE_AT_ONCE: ReadonlySet<string> = new Set(["curate", "hold_out"]);

/** The steps in the order of the pipeline. Bad data are refused as by a run. */
export async function planPipeline(config: Config, context: PlanContext): Promise<PlannedStep[]> {
  const planned: PlannedStep[] = [];
  await runPipeline("plan", config, {
    ...context,
    steps: planningSteps(context, planned),
    workers: unknownValue(),
    emit: () => {},
    // What a gate will measure is not known, or has passed it before.
    checkGates: () => [],
  });
  return planned;
}

function planningSteps({ steps, store, artifacts }: PlanContext, planned: PlannedStep[]): Steps {
  return {
    summaries: [],
    async run<T extends object>(
      scope: string,
      name: StepName,
      inputs: object,
      work: (step: StepContext) => Promise<T>,
    ) {
      const step = stepLabel(scope, name);
      if (DONE_AT_ONCE.has(name)) {
        const output = await steps.run(scope, name, inputs, work);
        planned.push({ step, name, state: "reused", key: stepKey(name, inputs), inputs });
        return output;
      }
      if (holdsUnknown(inputs)) {
        planned.push({ step, name, state: "depends", inputs });
        return unknownValue<T>();
      }
      const key = stepKey(name, inputs);
      const record = await findFinished(store, artifacts, key);
      const isShared = planned.some((earlier) => earlier.key === key);
      planned.push({ step, name, state: record !== undefined || isShared ? "reused" : "runs", key, inputs });
      return record === undefined ? unknownValue<T>() : (JSON.parse(record.output) as T);
    },
  };
}
