/** What the finished steps of a run have left. */
import type { RunEvent } from "../gen/cassl/v1/run.js";
import type { StepStore } from "../pipeline/step.js";

/** By the name of the step in the run; where one was finished several times, the last time counts. */
export function stepOutputs(events: readonly RunEvent[], steps: StepStore): ReadonlyMap<string, unknown> {
  const finished = events.flatMap(({ event }) => (event?.$case === "step_finished" ? [event.value] : []));
  return new Map(
    finished.flatMap(({ step, key }) => {
      const record = steps.findStep(key);
      return record === undefined ? [] : [[step, JSON.parse(record.output) as unknown]];
    }),
  );
}
