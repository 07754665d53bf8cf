/** What the events of a run say, for a page that shows them as they come. Pure but for the view, which grows. */
import type { GateChecked, StepProgress } from "../../gen/cassl/v1/run.js";
import type { TrainProgress } from "../../gen/cassl/v1/worker_service.js";
import { formatDetectorAp } from "../../report/format.js";
import type { StreamedEvent } from "../wire/runs.js";

export interface StepView {
  readonly step: string;
  readonly key: string;
  state: "running" | "finished" | "reused" | "stopped";
  /** ms since 1970. */
  startedAt: number;
  /** Of the work itself, when it has ended. */
  seconds: number | undefined;
  progress: ProgressView | undefined;
}

export interface ProgressView {
  readonly done: number;
  readonly total: number;
  readonly what: "iterations" | "images";
  readonly images_per_second: number | undefined;
}

export interface LogEntry {
  readonly at: number;
  readonly level: string;
  readonly text: string;
}

export interface RunView {
  /** By name, in the order in which they started. */
  readonly steps: Map<string, StepView>;
  /** By name of the step, by ascending iteration. */
  readonly curves: Map<string, TrainProgress[]>;
  /** By scope and name. */
  readonly gates: Map<string, GateChecked>;
  readonly log: LogEntry[];
}

export function emptyRunView(): RunView {
  return { steps: new Map(), curves: new Map(), gates: new Map(), log: [] };
}

export function addEvent(view: RunView, { at, event }: StreamedEvent): void {
  const note = (text: string, level = "info"): void => void view.log.push({ at, level, text });
  switch (event?.$case) {
    case "step_started":
      startStep(view, event.value.step, event.value.key, at);
      note(`${event.value.step} started`);
      break;
    case "step_progress":
      addProgress(view, event.value, at);
      break;
    case "step_finished":
      finishStep(view, event.value, at);
      note(event.value.reused ? `${event.value.step} reused` : `${event.value.step} done`);
      break;
    case "gate_checked":
      view.gates.set(`${event.value.scope} ${event.value.name}`, event.value);
      if (!event.value.passed) note(`${event.value.scope}: ${event.value.reason}`, "warning");
      break;
    case "log":
      note(event.value.text, event.value.level);
      break;
    case "state_changed": {
      const { error } = event.value;
      if (error !== undefined) {
        stopSteps(view);
        note(`${error.message} ${error.remedy}`, "error");
      }
      break;
    }
    case "predictions_committed":
      note(`${event.value.images_committed} images labeled, ${event.value.boxes} boxes`);
      break;
    case "task_waiting":
      note(`${event.value.message} ${event.value.remedy}`.trim(), "warning");
      break;
    case "arm_evaluated":
      note(`${event.value.scope}: ${formatDetectorAp(event.value)}`);
      break;
    case undefined:
  }
}

/** Adds a report of training; where a task went back to a checkpoint, the later attempt counts. */
export function addPoint(view: RunView, step: string, point: TrainProgress): void {
  const points = view.curves.get(step) ?? [];
  while ((points.at(-1)?.iteration ?? 0) >= point.iteration) points.pop();
  points.push(point);
  view.curves.set(step, points);
}

function startStep(view: RunView, step: string, key: string, startedAt: number): StepView {
  const started: StepView = { step, key, state: "running", startedAt, seconds: undefined, progress: undefined };
  view.steps.set(step, started);
  return started;
}

function addProgress(view: RunView, { step, key, progress }: StepProgress, at: number): void {
  const found = view.steps.get(step) ?? startStep(view, step, key, at);
  found.progress = progressView(progress);
  if (progress?.$case === "train") addPoint(view, step, progress.value);
}

function progressView(progress: StepProgress["progress"]): ProgressView | undefined {
  switch (progress?.$case) {
    case "train": {
      const { iteration: done, total_iterations: total, images_per_second } = progress.value;
      return { done, total, what: "iterations", images_per_second };
    }
    case "predict": {
      const { images_done: done, total_images: total, images_per_second } = progress.value;
      return { done, total, what: "images", images_per_second };
    }
    case "items":
      return { ...progress.value, what: "images", images_per_second: undefined };
    default:
      return undefined;
  }
}

function finishStep(
  view: RunView,
  { step, key, reused, seconds }: { step: string; key: string; reused: boolean; seconds: number },
  at: number,
): void {
  const found = view.steps.get(step) ?? startStep(view, step, key, at);
  found.state = reused ? "reused" : "finished";
  found.seconds = seconds;
}

function stopSteps({ steps }: RunView): void {
  for (const step of steps.values()) if (step.state === "running") step.state = "stopped";
}
