/** What a terminal shows of a run's events. Pure functions: the time that counts is that of the events. */
import type { GateChecked, PredictionsCommitted, RunEvent, StepFinished, StepProgress } from "../gen/cassl/v1/run.js";
import { formatDuration, formatNumber } from "../report/format.js";

/** The step under way. */
export interface Progress {
  readonly step: string;
  /** Milliseconds since the epoch, like all times here. */
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

export interface LineOptions {
  readonly now: number;
  /** Of the terminal, in characters. */
  readonly width: number;
  readonly color: boolean;
}

const NAME_WIDTH = "class_agnostic/pseudo_labeler".length;
const LONGEST_BAR = 24;
const SHORTEST_BAR = 8;

/** The step under way after an event. */
export function advance(progress: Progress | undefined, { at, event }: RunEvent): Progress | undefined {
  const time = at?.getTime() ?? 0;
  switch (event?.$case) {
    case "step_started":
      return { step: event.value.step, startedAt: time };
    case "step_finished":
    case "state_changed":
      return undefined;
    case "step_progress":
      return withMark(progress, event.value, time);
    default:
      return progress;
  }
}

function withMark(
  progress: Progress | undefined,
  { step, progress: report }: StepProgress,
  at: number,
): Progress | undefined {
  const amounts = amountsOf(report);
  if (amounts === undefined) return progress;
  const latest = { at, ...amounts };
  const known = progress?.step === step ? progress : { step, startedAt: at };
  return { ...known, first: known.first ?? latest, latest };
}

function amountsOf(report: StepProgress["progress"]): Omit<Mark, "at"> | undefined {
  switch (report?.$case) {
    case "train": {
      const { iteration, total_iterations, losses, images_per_second } = report.value;
      const loss = losses["total"];
      return {
        done: iteration,
        total: total_iterations,
        imagesPerSecond: images_per_second,
        ...(loss === undefined ? {} : { loss }),
      };
    }
    case "predict": {
      const { images_done, total_images, images_per_second } = report.value;
      return { done: images_done, total: total_images, imagesPerSecond: images_per_second };
    }
    case "items":
      return report.value;
    case undefined:
      return undefined;
  }
}

/** The line of the step under way, no longer than the terminal is wide. */
export function progressLine(progress: Progress, { now, width, color }: LineOptions): string {
  const { step, startedAt, latest } = progress;
  const head = step.padEnd(NAME_WIDTH);
  if (latest === undefined) return cut(`${head}  ${formatDuration(Math.max(0, now - startedAt) / 1000)}`, width);
  const tail = factsOf(progress, latest).join("  ");
  const room = width - 1 - head.length - tail.length - "  [] ".length;
  if (room < SHORTEST_BAR) return cut(`${head}  ${tail}`, width);
  return `${head}  ${bar(latest.done / latest.total, Math.min(room, LONGEST_BAR), color)} ${tail}`;
}

/** `120/300  31 img/s  loss 0.62  ETA 41 s`: what is known of them. */
export function factsOf(progress: Progress, latest: Mark): string[] {
  const eta = secondsLeft(progress);
  return [
    `${String(latest.done).padStart(String(latest.total).length)}/${latest.total}`,
    ...(latest.imagesPerSecond === undefined ? [] : [`${formatNumber(latest.imagesPerSecond)} img/s`]),
    ...(latest.loss === undefined ? [] : [`loss ${latest.loss.toFixed(3)}`]),
    ...(eta === undefined ? [] : [`ETA ${formatDuration(eta)}`]),
  ];
}

function secondsLeft({ first, latest }: Progress): number | undefined {
  if (first === undefined || latest === undefined || latest.done === latest.total) return undefined;
  if (latest.done <= first.done || latest.at <= first.at) return undefined;
  const secondsEach = (latest.at - first.at) / 1000 / (latest.done - first.done);
  return (latest.total - latest.done) * secondsEach;
}

function bar(share: number, width: number, color: boolean): string {
  const filled = Math.round(share * width);
  const [done, open] = ["=".repeat(filled), "-".repeat(width - filled)];
  return color ? `[\x1b[36m${done}\x1b[2m${open}\x1b[0m]` : `[${done}${open}]`;
}

/** The last column stays free: some terminals wrap when it is written. */
function cut(line: string, width: number): string {
  return line.slice(0, width - 1);
}

/** What an event leaves on the screen for good. */
export function lastingLines(progress: Progress | undefined, { event }: RunEvent): string[] {
  switch (event?.$case) {
    case "step_finished":
      return [`${event.value.step.padEnd(NAME_WIDTH)}  ${finishedText(progress, event.value)}`];
    case "gate_checked":
      return [gateText(event.value)];
    case "predictions_committed":
      return [accountText(event.value)];
    case "log":
      return [`${event.value.level}: ${event.value.text}`];
    case "task_waiting":
      return [`waiting: ${event.value.message} ${event.value.remedy}`.trimEnd()];
    default:
      return [];
  }
}

function finishedText(progress: Progress | undefined, { step, reused, seconds }: StepFinished): string {
  if (reused) return `reused (took ${formatDuration(seconds)} before)`;
  const loss = progress?.step === step ? progress.latest?.loss : undefined;
  return `done in ${formatDuration(seconds)}${loss === undefined ? "" : `, loss ${loss.toFixed(3)}`}`;
}

function accountText({ images_in, images_committed, shards, boxes }: PredictionsCommitted): string {
  return `${"predictions".padEnd(NAME_WIDTH)}  ${boxes} boxes, ${shards} shards, images ${images_in} in = ${images_committed} committed`;
}

/** A gate that is not passed says why; that of a passed one is in the report. */
function gateText({ name, scope, value, limit, passed, overridden, reason }: GateChecked): string {
  const head = `${scope}: gate ${name}`.padEnd(NAME_WIDTH);
  if (passed) return `${head}  passed: ${formatNumber(value)}, limit ${formatNumber(limit)}`;
  return `${head}  ${overridden ? "NOT PASSED, overridden" : "FAILED"}: ${reason}`;
}
