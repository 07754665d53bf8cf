/** When each step ran, as inline SVG. Pure functions. */
import { formatDuration } from "./format.js";
import { type Html, html } from "./html.js";
import type { StepSpan } from "./training-curves.js";

/** px, of the drawing; the page scales it. */
const WIDTH = 960;
const ROW = 24;
const LABEL_WIDTH = 240;
const TIME_WIDTH = 200;
const TRACK_WIDTH = WIDTH - LABEL_WIDTH - TIME_WIDTH;
const LEAST_BAR = 3;

/** One row a step: its name, a bar on the clock of the run, its time. */
export function timeline(spans: readonly StepSpan[]): Html {
  const total = Math.max(...spans.map(({ endSeconds }) => endSeconds), 1e-3);
  const title = `Time of the steps, ${formatDuration(total)} in all`;
  const rows = spans.map((span, index) => row(span, index * ROW, total));
  return html`<svg class="timeline" viewBox="0 0 ${WIDTH} ${spans.length * ROW}" role="img" aria-label="${title}">${rows}</svg>`;
}

function row(span: StepSpan, top: number, total: number): Html {
  const x = LABEL_WIDTH + (span.startSeconds / total) * (TRACK_WIDTH - LEAST_BAR);
  const width = Math.max(LEAST_BAR, ((span.endSeconds - span.startSeconds) / total) * TRACK_WIDTH);
  const time = span.reused ? `reused, took ${formatDuration(span.seconds)} before` : formatDuration(span.seconds);
  return html`<g class="${span.reused ? "reused" : "done"}">
    <text x="0" y="${top + 16}">${span.step}</text>
    <line class="grid" x1="${LABEL_WIDTH}" x2="${LABEL_WIDTH + TRACK_WIDTH}" y1="${top + 12}" y2="${top + 12}"/>
    <rect x="${x.toFixed(1)}" y="${top + 6}" width="${width.toFixed(1)}" height="12" rx="2"/>
    <text class="time" x="${WIDTH}" y="${top + 16}" text-anchor="end">${time}</text>
  </g>`;
}
