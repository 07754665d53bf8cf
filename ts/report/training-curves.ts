/** What the events of a run say about its training and its time. Pure functions. */
import type { RunEvent, StepProgress } from "../gen/cassl/v1/run.js";
import type { TrainProgress } from "../gen/cassl/v1/worker_service.js";
import { formatBatch } from "./format.js";

/** One training step, by ascending iteration. */
export interface TrainingCurve {
  readonly step: string;
  readonly points: readonly TrainProgress[];
}

/** A step on the clock of the run. */
export interface StepSpan {
  readonly step: string;
  readonly reused: boolean;
  /** Since the first event. */
  readonly startSeconds: number;
  readonly endSeconds: number;
  /** Time of the work itself, also when an earlier run did it. */
  readonly seconds: number;
}

/** In the order of training. Where a task went back to a checkpoint, the later attempt counts. */
export function trainingCurves(entries: readonly StepProgress[]): TrainingCurve[] {
  const curves = new Map<string, TrainProgress[]>();
  for (const { step, progress } of entries) {
    if (progress?.$case !== "train") continue;
    const points = curves.get(step) ?? [];
    while ((points.at(-1)?.iteration ?? 0) >= progress.value.iteration) points.pop();
    points.push(progress.value);
    curves.set(step, points);
  }
  return [...curves].map(([step, points]) => ({ step, points }));
}

/** What batches were, each once: where a training went on elsewhere, other processes may have shared them. */
export function batchesOf({ points }: TrainingCurve): string {
  return [...new Set(points.map(formatBatch))].filter(Boolean).join(", then ");
}

/** The steps that have ended, in their order. */
export function stepSpans(events: readonly RunEvent[]): StepSpan[] {
  const origin = secondsOf(events[0]);
  const starts = new Map<string, number>();
  const spans: StepSpan[] = [];
  for (const entry of events) {
    const now = secondsOf(entry) - origin;
    if (entry.event?.$case === "step_started") starts.set(entry.event.value.step, now);
    if (entry.event?.$case !== "step_finished") continue;
    const { step, reused, seconds } = entry.event.value;
    spans.push({ step, reused, seconds, startSeconds: starts.get(step) ?? now, endSeconds: now });
  }
  return spans;
}

function secondsOf(event: RunEvent | undefined): number {
  return (event?.at?.getTime() ?? 0) / 1000;
}
