/** Where a run's events go: a terminal, a log or a machine. */
import type { WriteStream } from "node:tty";
import type { RunEvent } from "../gen/cassl/v1/run.js";
import { eventJson } from "./event-json.js";
import { type PlainProgress, plainLines } from "./plain-progress.js";
import { advance, lastingLines, type Progress, progressLine } from "./progress.js";

export interface ProgressView {
  show(event: RunEvent): void;
  /** Writes a line that is no event. */
  note(text: string): void;
  /** Leaves the terminal as it should be. */
  close(): void;
}

const LEAST_PAUSE_MS = 200;
const CLOCK_MS = 1000;
/** Of terminals that do not say how wide they are. */
const DEFAULT_WIDTH = 80;
const CLEAR_LINE = "\r\x1b[2K";

/** JSON goes to standard output; everything else to standard error, so that standard output has results alone. */
export function createView(json: boolean, stream: WriteStream = process.stderr): ProgressView {
  if (json) return jsonView();
  return stream.isTTY && process.env["TERM"] !== "dumb" ? terminalView(stream) : plainView();
}

function jsonView(): ProgressView {
  return {
    show: (event) => console.log(JSON.stringify(eventJson(event))),
    note: (text) => console.error(text),
    close: () => {},
  };
}

function plainView(): ProgressView {
  let state: PlainProgress = {};
  return {
    show(event) {
      const next = plainLines(state, event);
      state = next.state;
      for (const line of next.lines) console.error(line);
    },
    note: (text) => console.error(text),
    close: () => {},
  };
}

/** The step under way has the last line, which is written over and over. */
function terminalView(stream: WriteStream): ProgressView {
  const color = (process.env["NO_COLOR"] ?? "") === "";
  let progress: Progress | undefined;
  let drawnAt = 0;

  function draw(): void {
    drawnAt = Date.now();
    const line =
      progress === undefined
        ? ""
        : progressLine(progress, { now: drawnAt, width: stream.columns || DEFAULT_WIDTH, color });
    stream.write(`${CLEAR_LINE}${line}`);
  }

  function print(lines: readonly string[]): void {
    stream.write(CLEAR_LINE + lines.map((line) => `${line}\n`).join(""));
    draw();
  }

  // So that one sees the time go by where a step says nothing for a while.
  const clock = setInterval(draw, CLOCK_MS).unref();
  return {
    show(event) {
      const lines = lastingLines(progress, event);
      progress = advance(progress, event);
      if (lines.length > 0) print(lines);
      else if (Date.now() - drawnAt >= LEAST_PAUSE_MS) draw();
    },
    note: (text) => print([text]),
    close() {
      clearInterval(clock);
      progress = undefined;
      draw();
    },
  };
}
