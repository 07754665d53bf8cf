/** A run's events as lines for logs: each step's start and end, and in between one line in ten seconds at most. Pure. */
import type { RunEvent } from "../gen/cassl/v1/run.js";
import { lastingLines } from "./lasting-lines.js";
import { advance, type Progress } from "./progress.js";
import { factsOf, positionText } from "./progress-lines.js";

export interface PlainProgress {
  readonly progress: Progress;
  /** Time of the event that was last given a line. */
  readonly printedAt?: number | undefined;
}

const PAUSE_MS = 10_000;

export function plainLines(before: PlainProgress, entry: RunEvent): { state: PlainProgress; lines: string[] } {
  const progress = advance(before.progress, entry);
  const at = entry.at?.getTime() ?? 0;
  const lines = linesOf(before, progress, entry, at);
  return { state: { progress, printedAt: lines.length > 0 ? at : before.printedAt }, lines };
}

function linesOf(before: PlainProgress, progress: Progress, entry: RunEvent, at: number): string[] {
  const { step } = progress;
  switch (entry.event?.$case) {
    case "step_started": {
      const position = positionText(progress);
      return [`${entry.event.value.step}: started${position === "" ? "" : `, ${position}`}`];
    }
    case "step_progress": {
      if (step?.latest === undefined || at - (before.printedAt ?? 0) < PAUSE_MS) return [];
      const { count, others } = factsOf(step, step.latest);
      return [`${step.name}: ${[count, ...others].join("  ")}`];
    }
    default:
      return lastingLines(before.progress, entry).map(({ text }) => text);
  }
}
