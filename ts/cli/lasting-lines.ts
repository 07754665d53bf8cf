/** What a run's events leave on the screen or in a log for good. Pure functions. */
import type { GateChecked, PredictionsCommitted, RunEvent, StepFinished } from "../gen/cassl/v1/run.js";
import { formatDetectorAp, formatDuration, formatNumber } from "../report/format.js";
import { printable } from "./printable.js";
import type { Progress } from "./progress.js";

export type Tone = "plain" | "quiet" | "good" | "warning" | "bad";

export interface Line {
  readonly text: string;
  /** How it is coloured where there are colours. The text says all without. */
  readonly tone: Tone;
}

/** The first column: the longest name of a step of the first round. */
const NAME_WIDTH = "class_agnostic/predict_held_out".length;

/** @param progress before the event. */
export function lastingLines(progress: Progress, { event }: RunEvent): Line[] {
  switch (event?.$case) {
    case "step_finished":
      return [finishedLine(progress, event.value)];
    case "gate_checked":
      return [gateLine(event.value)];
    case "arm_evaluated":
      return [{ text: row(event.value.scope, formatDetectorAp(event.value)), tone: "good" }];
    case "predictions_committed":
      return [{ text: row("predictions", accountText(event.value)), tone: "plain" }];
    case "log":
      return [{ text: printable(`${event.value.level}: ${event.value.text}`), tone: toneOf(event.value.level) }];
    case "task_waiting":
      return [{ text: printable(`waiting: ${event.value.message} ${event.value.remedy}`.trimEnd()), tone: "warning" }];
    default:
      return [];
  }
}

function row(name: string, text: string): string {
  return printable(`${name.padEnd(NAME_WIDTH)}  ${text}`);
}

function toneOf(level: string): Tone {
  if (level === "error") return "bad";
  return level === "warning" ? "warning" : "quiet";
}

function finishedLine({ step: underWay }: Progress, { step, reused, seconds }: StepFinished): Line {
  if (reused) return { text: row(step, `reused (took ${formatDuration(seconds)} before)`), tone: "quiet" };
  const loss = underWay?.name === step ? underWay.latest?.loss : undefined;
  const done = `done in ${formatDuration(seconds)}${loss === undefined ? "" : `, loss ${loss.toFixed(3)}`}`;
  return { text: row(step, done), tone: "plain" };
}

function accountText({ images_in, images_committed, shards, boxes }: PredictionsCommitted): string {
  return `${boxes} boxes, ${shards} shards, images ${images_in} in = ${images_committed} committed`;
}

/** A gate that is not passed says why; that of a passed one is in the report. */
function gateLine({ name, scope, value, limit, passed, overridden, reason }: GateChecked): Line {
  const line = (text: string): string => row(scope, `gate ${name} ${text}`);
  if (passed) return { text: line(`passed: ${formatNumber(value)}, limit ${formatNumber(limit)}`), tone: "plain" };
  if (overridden) return { text: line(`NOT PASSED, overridden: ${reason}`), tone: "warning" };
  return { text: line(`FAILED: ${reason}`), tone: "bad" };
}
