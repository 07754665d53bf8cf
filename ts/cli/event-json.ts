import { fromErrorDetail } from "../core/errors.js";
import type { RunEvent, StateChanged, StepProgress } from "../gen/cassl/v1/run.js";
import { stateToJSON } from "../gen/cassl/v1/run.js";

/** An event as `--json` prints it: the message of the protocol with its field names, and names in place of enum numbers. */
export function eventJson({ sequence, at, event }: RunEvent): object {
  return { sequence, at, ...(event === undefined ? {} : { [event.$case]: valueJson(event) }) };
}

function valueJson(event: NonNullable<RunEvent["event"]>): object {
  if (event.$case === "step_progress") return progressJson(event.value);
  return event.$case === "state_changed" ? stateJson(event.value) : event.value;
}

function progressJson({ step, key, progress }: StepProgress): object {
  return { step, key, ...(progress === undefined ? {} : { [progress.$case]: progress.value }) };
}

function stateJson({ state, error }: StateChanged): object {
  if (error === undefined) return { state: stateToJSON(state) };
  const { reason, message, remedy } = fromErrorDetail(error);
  return { state: stateToJSON(state), error: { reason, message, remedy } };
}
