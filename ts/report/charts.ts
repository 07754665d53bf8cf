/** Charts as inline SVG: no script, colours from the page's style. Pure functions. */
import { formatNumber } from "./format.js";
import { type Html, html } from "./html.js";

export interface Series {
  readonly name: string;
  readonly points: readonly (readonly [x: number, y: number])[];
}

export interface LineChart {
  /** What a screen reader says. */
  readonly title: string;
  /** The first is drawn strongest. */
  readonly series: readonly Series[];
}

export interface BarGroup {
  readonly name: string;
  /** In [0, 1], or negative where there is none. One a series. */
  readonly values: readonly number[];
}

export interface BarChart {
  readonly title: string;
  readonly groups: readonly BarGroup[];
  /** The text of a value. */
  format(value: number): string;
}

export interface DotGroup {
  readonly name: string;
  /** Each a dot; a line is at their mean. */
  readonly values: readonly number[];
}

export interface DotChart {
  readonly title: string;
  /** From left to right. */
  readonly groups: readonly DotGroup[];
  /** What the groups are compared with: a dashed line at the mean. */
  readonly reference: DotGroup;
}

/** px, of the drawing; the page scales it. */
const WIDTH = 460;
const HEIGHT = 170;
const MARGIN = { left: 52, right: 10, top: 10, bottom: 22 };
const BOTTOM = HEIGHT - MARGIN.bottom;
const RIGHT = WIDTH - MARGIN.right;

/** Lines over iterations; both axes start at 0. */
export function lineChart({ title, series }: LineChart): Html {
  const points = series.flatMap((one) => one.points);
  const maxX = largest(points.map(([value]) => value));
  const xTicks = niceTicks(maxX, 5).filter((tick) => tick <= maxX);
  const yTicks = niceTicks(largest(points.map(([, value]) => value)), 4);
  const x = scale(maxX, MARGIN.left, RIGHT);
  const y = scale(yTicks.at(-1) as number, BOTTOM, MARGIN.top);
  const lines = series.map(
    (one, index) =>
      html`<polyline class="line s${index}" points="${one.points.map(([px, py]) => `${x(px)},${y(py)}`).join(" ")}"/>`,
  );
  return frame(title, [
    ...yTicks.map((tick) => yTick(tick, y(tick))),
    ...xTicks.map((tick) => xTick(formatNumber(tick), x(tick))),
    ...lines.reverse(),
  ]);
}

/** Groups of upright bars, one a series, with their values above them. */
export function barChart({ title, groups, format }: BarChart): Html {
  const yTicks = niceTicks(Math.max(0.05, largest(groups.flatMap(({ values }) => values))), 4);
  const y = scale(yTicks.at(-1) as number, BOTTOM, MARGIN.top + 8);
  const groupWidth = (RIGHT - MARGIN.left) / groups.length;
  const drawn = groups.map(({ name, values }, index) => {
    const left = MARGIN.left + index * groupWidth;
    const barWidth = Math.min(40, (groupWidth - 16) / values.length);
    const start = left + (groupWidth - barWidth * values.length) / 2;
    const bars = values.map((value, k) =>
      bar(start + k * barWidth, barWidth - 3, y(Math.max(value, 0)), k, format(value)),
    );
    return html`${bars}${xTick(name, round(left + groupWidth / 2))}`;
  });
  return frame(title, [...yTicks.map((tick) => yTick(tick, y(tick), format(tick))), ...drawn]);
}

/** The values of each group above its name; the axis spans the values and need not start at 0. */
export function dotChart({ title, groups, reference }: DotChart): Html {
  const { ticks, y } = spanningAxis([...groups.flatMap(({ values }) => values), mean(reference.values)]);
  const width = (RIGHT - MARGIN.left) / groups.length;
  const at = y(mean(reference.values));
  return frame(title, [
    ...ticks.map((tick) => yTick(tick, y(tick))),
    html`<line class="reference" x1="${MARGIN.left}" x2="${RIGHT}" y1="${at}" y2="${at}"/>
    <text class="tick" x="${RIGHT}" y="${round(at - 4)}" text-anchor="end">${reference.name}</text>`,
    ...groups.map((group, index) => dots(group, round(MARGIN.left + (index + 0.5) * width), y)),
  ]);
}

function dots({ name, values }: DotGroup, x: number, y: (value: number) => number): Html {
  const middle = y(mean(values));
  return html`<line class="mean" x1="${x - 16}" x2="${x + 16}" y1="${middle}" y2="${middle}"/>
    ${values.map((value) => html`<circle class="dot" cx="${x}" cy="${y(value)}" r="3.5"/>`)}
    ${xTick(name, x)}`;
}

/** Ticks from just below the least value to just above the largest. */
function spanningAxis(values: readonly number[]): { ticks: number[]; y: (value: number) => number } {
  const max = largest(values);
  const min = values.reduce((least, value) => Math.min(least, value), max);
  const step = niceTicks(max - min, 4)[1] as number;
  const first = Math.floor(min / step) * step;
  const ticks = niceTicks(max - first, 5).map((tick) => first + tick);
  const toPx = scale((ticks.at(-1) as number) - first, BOTTOM, MARGIN.top);
  return { ticks, y: (value) => toPx(value - first) };
}

/** The names in the colours of their series. @param what the lines are of. */
export function seriesLegend(names: readonly string[], what?: string): Html {
  const title = what === undefined ? undefined : html`<span class="what">${what}</span> `;
  return html`<figcaption class="legend">${title}${names.map((name, index) => html`<span class="key s${index}">${name}</span> `)}</figcaption>`;
}

/** A level bar for a cell of a table. @param share in [0, 1]. */
export function shareBar(share: number): Html {
  return html`<svg class="share" viewBox="0 0 100 10" aria-hidden="true"><rect class="bar s0" width="${round(100 * share)}" height="10" rx="1.5"/></svg>`;
}

function bar(x: number, width: number, top: number, series: number, text: string): Html {
  return html`<rect class="bar s${series}" x="${round(x)}" y="${top}" width="${round(width)}" height="${round(BOTTOM - top)}" rx="1.5"/>
    <text class="value" x="${round(x + width / 2)}" y="${round(top - 4)}" text-anchor="middle">${text}</text>`;
}

function frame(title: string, content: readonly Html[]): Html {
  return html`<svg class="chart" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${title}">${content}</svg>`;
}

function yTick(value: number, y: number, text: string = formatNumber(value)): Html {
  return html`<line class="grid" x1="${MARGIN.left}" x2="${RIGHT}" y1="${y}" y2="${y}"/>
    <text class="tick" x="${MARGIN.left - 6}" y="${round(y + 3.5)}" text-anchor="end">${text}</text>`;
}

function xTick(text: string, x: number): Html {
  return html`<text class="tick" x="${x}" y="${BOTTOM + 15}" text-anchor="middle">${text}</text>`;
}

/** From 0 in at most `count` steps of 1, 2 or 5 times a power of ten, until one is at or above `max`. */
export function niceTicks(max: number, count: number): number[] {
  const rough = (max > 0 ? max : 1) / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = ([1, 2, 5, 10].find((factor) => factor * power >= rough) ?? 10) * power;
  const last = Math.ceil((max > 0 ? max : 1) / step - 1e-9);
  return Array.from({ length: last + 1 }, (_, index) => Number((index * step).toPrecision(12)));
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);
}

function largest(values: readonly number[]): number {
  return values.reduce((max, value) => Math.max(max, value), 0);
}

function scale(max: number, from: number, to: number): (value: number) => number {
  return (value) => round(from + (value / (max || 1)) * (to - from));
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
