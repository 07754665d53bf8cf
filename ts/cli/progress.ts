/** What is known of a run that is watched, by its events. Pure functions: the time that counts is that of the events. */
import { expectedSteps } from "../dashboard/view/expected-steps.js";
import type { Run, RunEvent, StepProgress } from "../gen/cassl/v1/run.js";

export interface Progress {
  /** Steps that the run will have; 0 where that is not known. */
  readonly expected: number;
  /** Of them, those that have begun. */
  readonly begun: number;
  /** Milliseconds since the epoch, like all times here. */
  readonly startedAt?: number | undefined;
  readonly step?: StepUnderWay | undefined;
}

export interface StepUnderWay {
  readonly name: string;
  readonly startedAt: number;
  /** The first and the latest report of the step: work done before the first, by an earlier attempt, says nothing of the rate. */
  readonly first?: Mark;
  readonly latest?: Mark;
}

export interface Mark {
  readonly at: number;
  readonly done: number;
  readonly total: number;
  readonly loss?: number;
  readonly imagesPerSecond?: number;
}

export const NO_PROGRESS: Progress = { expected: 0, begun: 0 };

export function progressOf({ config }: Run): Progress {
  const { arms, targets, detector, stages } = config ?? {};
  if (arms === undefined || targets === undefined || !detector || !stages?.warmup) return NO_PROGRESS;
  const lanes = expectedSteps({ arms, targets, detector, stages: { warmup: stages.warmup } });
  return { expected: lanes.flatMap(({ steps }) => steps).length, begun: 0 };
}

export function advance(progress: Progress, { at, event }: RunEvent): Progress {
  const time = at?.getTime() ?? 0;
  const { expected, begun, startedAt = time } = progress;
  switch (event?.$case) {
    case "step_started":
      return { expected, begun: begun + 1, startedAt, step: { name: event.value.step, startedAt: time } };
    case "step_finished":
      return { ...progress, step: undefined };
    case "state_changed":
      // Also where a run is tried again, which comes to all of its steps again.
      return { expected, begun: 0, startedAt: time };
    case "step_progress":
      return { ...progress, startedAt, step: withMark(progress.step, event.value, time) };
    default:
      return progress;
  }
}

function withMark(
  before: StepUnderWay | undefined,
  { step: name, progress: report }: StepProgress,
  at: number,
): StepUnderWay | undefined {
  const amounts = amountsOf(report);
  if (amounts === undefined) return before;
  const latest = { at, ...amounts };
  const known = before?.name === name ? before : { name, startedAt: at };
  return { ...known, first: known.first ?? latest, latest };
}

function amountsOf(report: StepProgress["progress"]): Omit<Mark, "at"> | undefined {
  switch (report?.$case) {
    case "train": {
      const { iteration: done, total_iterations: total, losses, images_per_second: imagesPerSecond } = report.value;
      const loss = losses["total"];
      return { done, total, imagesPerSecond, ...(loss === undefined ? {} : { loss }) };
    }
    case "predict": {
      const { images_done: done, total_images: total, images_per_second: imagesPerSecond } = report.value;
      return { done, total, imagesPerSecond };
    }
    case "items":
      return report.value;
    case undefined:
      return undefined;
  }
}

/** By the rate since the first report; undefined where there is nothing to judge it by. */
export function secondsLeft({ first, latest }: StepUnderWay): number | undefined {
  if (first === undefined || latest === undefined || latest.done === latest.total) return undefined;
  if (latest.done <= first.done || latest.at <= first.at) return undefined;
  const secondsEach = (latest.at - first.at) / 1000 / (latest.done - first.done);
  return (latest.total - latest.done) * secondsEach;
}
