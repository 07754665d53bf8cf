/** A run that has ended, as a controller would have stored it. */
import type { StateStore } from "../../../ts/controller/state.js";
import { type RunConfig, State } from "../../../ts/gen/cassl/v1/run.js";

/** @param outputs what its steps have left, by their names. */
export function storeRun(
  state: StateStore,
  runId: string,
  config: RunConfig,
  outputs: Readonly<Record<string, unknown>>,
): void {
  for (const [step, output] of Object.entries(outputs)) {
    const key = `${runId}-${step}`;
    state.saveStep({ key, name: step, output: JSON.stringify(output), seconds: 1 });
    state.appendEvent(runId, new Date(), { $case: "step_finished", value: { step, key, reused: false, seconds: 1 } });
  }
  state.saveRun({
    run_id: runId,
    state: State.CANCELLED,
    config,
    config_hash: "stored",
    created_at: new Date(),
    finished_at: new Date(),
    overridden_gates: [],
    priority: 0,
    waiting_tasks: [],
  });
}
