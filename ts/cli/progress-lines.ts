/** The lines that a terminal shows of the step under way, which are written over and over. Pure functions. */
import { formatDuration, formatNumber } from "../report/format.js";
import { type Mark, type Progress, type StepUnderWay, secondsLeft } from "./progress.js";

export interface ScreenOptions {
  readonly now: number;
  /** Of the terminal, in characters. */
  readonly width: number;
  readonly color: boolean;
}

/** What is known of a step's work, the most important first: where the line is short, the last go. */
export interface Facts {
  readonly count: string;
  readonly others: readonly string[];
}

const LONGEST_BAR = 24;
const SHORTEST_BAR = 8;

/** How far the run is, and how far its step is. No line reaches the end of the terminal, so that none wraps. */
export function progressLines({ step, startedAt, ...run }: Progress, options: ScreenOptions): string[] {
  if (step === undefined) return [];
  const position = positionText(run);
  const since = formatDuration(Math.max(0, options.now - (startedAt ?? options.now)) / 1000);
  return [cut(position === "" ? since : `${position}, ${since}`, options.width), stepLine(step, options)];
}

/** `step 3 of 16`; empty where it is not known how many there are. */
export function positionText({ begun, expected }: Pick<Progress, "begun" | "expected">): string {
  return expected === 0 ? "" : `step ${begun} of ${Math.max(begun, expected)}`;
}

function stepLine(step: StepUnderWay, { now, width, color }: ScreenOptions): string {
  const { name, startedAt, latest } = step;
  if (latest === undefined) return cut(`${name}  ${formatDuration(Math.max(0, now - startedAt) / 1000)}`, width);
  const { count, others } = factsOf(step, latest);
  for (let kept = others.length; kept >= 0; kept--) {
    const tail = [count, ...others.slice(0, kept)].join("  ");
    const room = width - 1 - name.length - tail.length - "  []  ".length;
    if (room >= SHORTEST_BAR)
      return `${name}  ${bar(latest.done / latest.total, Math.min(room, LONGEST_BAR), color)}  ${tail}`;
  }
  return cut(`${name}  ${count}`, width);
}

/** Of about the same width from report to report, so that the bar keeps its own. */
export function factsOf(step: StepUnderWay, { done, total, loss, imagesPerSecond }: Mark): Facts {
  const eta = secondsLeft(step);
  return {
    count: `${String(done).padStart(String(total).length)}/${total}`,
    others: [
      ...(eta === undefined ? [] : [`ETA ${formatClock(eta)}`]),
      ...(loss === undefined ? [] : [`loss ${loss.toFixed(3)}`]),
      ...(imagesPerSecond === undefined ? [] : [`${formatNumber(imagesPerSecond).padStart(4)} img/s`]),
    ],
  };
}

/** `0:41`, `3:05`, `2:07:00`: shorter than words. */
function formatClock(seconds: number): string {
  const whole = Math.round(seconds);
  const twoDigits = (value: number): string => String(value).padStart(2, "0");
  const minutes = Math.floor(whole / 60);
  const end = twoDigits(whole % 60);
  return minutes < 60 ? `${minutes}:${end}` : `${Math.floor(minutes / 60)}:${twoDigits(minutes % 60)}:${end}`;
}

function bar(share: number, width: number, color: boolean): string {
  const filled = Math.round(Math.min(1, share) * width);
  const [done, open] = ["=".repeat(filled), "-".repeat(width - filled)];
  return color ? `[\x1b[36m${done}\x1b[2m${open}\x1b[0m]` : `[${done}${open}]`;
}

/** The last column stays free: some terminals wrap when it is written. */
function cut(line: string, width: number): string {
  return line.slice(0, width - 1);
}
