/** A run's events in a terminal: what lasts scrolls up; the step under way has the last lines, which are written over and over. */
import type { WriteStream } from "node:tty";
import { type Line, lastingLines, type Tone } from "./lasting-lines.js";
import { printable, wrapped } from "./printable.js";
import { advance, NO_PROGRESS, progressOf } from "./progress.js";
import { progressLines } from "./progress-lines.js";
import type { ProgressView } from "./progress-view.js";

const LEAST_PAUSE_MS = 200;
const CLOCK_MS = 1000;
/** Of terminals that do not say how wide they are. */
const DEFAULT_WIDTH = 80;
/** Of what goes on in a further line. */
const INDENT = 4;
const CLEAR_LINE = "\r\x1b[2K";
const LINE_UP = "\x1b[1A";
const COLORS: Readonly<Record<Tone, string>> = {
  plain: "",
  quiet: "\x1b[2m",
  good: "\x1b[32m",
  warning: "\x1b[33m",
  bad: "\x1b[31m",
};

export function terminalView(stream: WriteStream): ProgressView {
  const color = (process.env["NO_COLOR"] ?? "") === "";
  let progress = NO_PROGRESS;
  let drawnAt = 0;
  let drawnLines = 0;

  function clear(): string {
    const above = Math.max(0, drawnLines - 1);
    drawnLines = 0;
    return CLEAR_LINE + (LINE_UP + CLEAR_LINE).repeat(above);
  }

  function draw(lasting = ""): void {
    drawnAt = Date.now();
    const lines = progressLines(progress, { now: drawnAt, width: stream.columns || DEFAULT_WIDTH, color });
    stream.write(clear() + lasting + lines.join("\n"));
    drawnLines = lines.length;
  }

  function print(lines: readonly Line[]): void {
    const shown = lines.flatMap((line) => shownLines(line, stream.columns || DEFAULT_WIDTH, color));
    draw(shown.map((line) => `${line}\n`).join(""));
  }

  // So that one sees the time go by where a step says nothing for a while.
  const startClock = (): NodeJS.Timeout => setInterval(() => draw(), CLOCK_MS).unref();
  let clock = startClock();
  return {
    begin(run) {
      clearInterval(clock);
      clock = startClock();
      progress = progressOf(run);
    },
    show(event) {
      const lines = lastingLines(progress, event);
      progress = advance(progress, event);
      if (lines.length > 0) print(lines);
      else if (Date.now() - drawnAt >= LEAST_PAUSE_MS) draw();
    },
    note: (text) => print([{ text: printable(text), tone: "plain" }]),
    close() {
      clearInterval(clock);
      progress = NO_PROGRESS;
      draw();
    },
  };
}

function shownLines({ text, tone }: Line, width: number, color: boolean): string[] {
  const lines = text.split("\n").flatMap((part) => wrapped(part, width, INDENT));
  const code = color ? COLORS[tone] : "";
  return code === "" ? lines : lines.map((line) => `${code}${line}\x1b[0m`);
}
