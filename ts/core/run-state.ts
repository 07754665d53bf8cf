import { type Run, State, stateToJSON } from "../gen/cassl/v1/run.js";

/** As commands and the dashboard name it: `running` of STATE_RUNNING. */
export type RunState = Lowercase<Exclude<keyof typeof State, "UNSPECIFIED">>;

export function stateName(state: State): RunState {
  return stateToJSON(state).replace("STATE_", "").toLowerCase() as RunState;
}

/** Whether it has ended without success, so that it may be tried again. */
export function hasFailed({ state }: Pick<Run, "state">): boolean {
  return state === State.FAILED || state === State.CANCELLED;
}
