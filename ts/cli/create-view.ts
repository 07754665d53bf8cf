import type { WriteStream } from "node:tty";
import { eventJson } from "./event-json.js";
import { type PlainProgress, plainLines } from "./plain-progress.js";
import { printable } from "./printable.js";
import { NO_PROGRESS, progressOf } from "./progress.js";
import type { ProgressView } from "./progress-view.js";
import { terminalView } from "./terminal-view.js";

/** JSON goes to standard output; everything else to standard error, so that standard output has results alone. */
export function createView(json: boolean, stream: WriteStream = process.stderr): ProgressView {
  if (json) return jsonView();
  return stream.isTTY && process.env["TERM"] !== "dumb" ? terminalView(stream) : plainView();
}

function jsonView(): ProgressView {
  return {
    begin: () => {},
    show: (event) => console.log(JSON.stringify(eventJson(event))),
    note: (text) => console.error(printable(text)),
    close: () => {},
  };
}

function plainView(): ProgressView {
  let state: PlainProgress = { progress: NO_PROGRESS };
  return {
    begin(run) {
      state = { progress: progressOf(run) };
    },
    show(event) {
      const next = plainLines(state, event);
      state = next.state;
      for (const line of next.lines) console.error(line);
    },
    note: (text) => console.error(printable(text)),
    close: () => {},
  };
}
