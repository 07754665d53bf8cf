/** What a run was expected to take, and what it took. Pure functions. */
import type { RunResult } from "../pipeline/pipeline.js";
import { formatDuration, formatShare } from "./format.js";

export interface Cost {
  /** What the steps that were expected to take some time were expected to take together. */
  readonly planned_seconds: number;
  /** What these same steps took. */
  readonly planned_steps_seconds: number;
  /** What all steps took that this run did. */
  readonly done_seconds: number;
  /** What the steps took that earlier runs had done. */
  readonly reused_seconds: number;
}

/** @param planned what steps were expected to take, in seconds. */
export function costOf({ steps }: RunResult, planned: ReadonlyMap<string, number>): Cost {
  const done = steps.filter(({ reused }) => !reused);
  const sum = (of: RunResult["steps"]): number => of.reduce((total, { seconds }) => total + seconds, 0);
  const expected = done.filter(({ name }) => planned.has(name));
  return {
    planned_seconds: expected.reduce((total, { name }) => total + (planned.get(name) as number), 0),
    planned_steps_seconds: sum(expected),
    done_seconds: sum(done),
    reused_seconds: sum(steps.filter(({ reused }) => reused)),
  };
}

export function costSentence(cost: Cost): string {
  const { done_seconds, reused_seconds } = cost;
  if (done_seconds === 0) return `Earlier runs had done every step, in ${formatDuration(reused_seconds)}.`;
  const saved = reused_seconds === 0 ? "" : ` Steps of earlier runs saved ${formatDuration(reused_seconds)}.`;
  return `The work of this run took ${formatDuration(done_seconds)}. ${planSentence(cost)}${saved}`;
}

function planSentence({ planned_seconds, planned_steps_seconds, done_seconds }: Cost): string {
  if (planned_seconds === 0) return "Nothing was known before of how long its steps would take.";
  const [planned, took] = [formatDuration(planned_seconds), formatDuration(planned_steps_seconds)];
  const share = formatShare(planned_steps_seconds / planned_seconds);
  const which =
    planned_steps_seconds < done_seconds ? "For the steps of which something was known before" : "For its steps";
  return `${which}, ${planned} were planned: they took ${took}, ${share} of that.`;
}
