/** What the workspace has of a run beside its row. */
import type { ControllerParts } from "../controller/controller.js";
import type { Run, RunEvent } from "../gen/cassl/v1/run.js";
import type { ArmResult, RunResult } from "../pipeline/pipeline.js";
import type { ArmScore } from "./wire/runs.js";

/** Events that are looked at for what a run is at: more than one step reports between two of its neighbours. */
const RECENT_EVENTS = 200;

export function recentEvents(runId: string, state: ControllerParts["state"]): RunEvent[] {
  return state.eventsAfter(runId, Math.max(0, state.lastSequence(runId) - RECENT_EVENTS), RECENT_EVENTS);
}

/** Undefined until the run has one, and where it is gone. */
export async function resultOf(
  { result }: Run,
  artifacts: ControllerParts["artifacts"],
): Promise<RunResult | undefined> {
  if (result === undefined || (await artifacts.stat(result.sha256)) === undefined) return undefined;
  return JSON.parse(Buffer.from(await artifacts.read(result.sha256)).toString()) as RunResult;
}

export function scoreOf({ arm, target, ap, ap50, ap75, class_agnostic_ap }: ArmResult): ArmScore {
  return { arm, target, ap, ap50, ap75, class_agnostic_ap };
}
