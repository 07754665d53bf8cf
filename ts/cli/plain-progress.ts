/** A run's events as lines for logs: each step's start and end, and in between one line in ten seconds at most. Pure. */
import type { RunEvent } from "../gen/cassl/v1/run.js";
import { advance, factsOf, lastingLines, type Progress } from "./progress.js";

export interface PlainProgress {
  readonly progress?: Progress | undefined;
  /** Time of the event that was last given a line. */
  readonly printedAt?: number | undefined;
}

const PAUSE_MS = 10_000;

export function plainLines(before: PlainProgress, entry: RunEvent): { state: PlainProgress; lines: string[] } {
  const progress = advance(before.progress, entry);
  const at = entry.at?.getTime() ?? 0;
  const lasting = lastingLines(before.progress, entry);
  const lines = entry.event?.$case === "step_started" ? [`${entry.event.value.step}: started`] : lasting;
  const isDue = entry.event?.$case === "step_progress" && at - (before.printedAt ?? 0) >= PAUSE_MS;
  if (isDue && progress?.latest !== undefined)
    lines.push(`${progress.step}: ${factsOf(progress, progress.latest).join("  ")}`);
  return { state: { progress, printedAt: lines.length > 0 ? at : before.printedAt }, lines };
}
