/** Line charts. The door to uPlot. */
import uPlot from "uplot";
import { element } from "./dom.js";

export interface Line {
  readonly label: string;
  /** One value for each of the chart's x. Null: a gap; undefined: the line goes on over it. */
  readonly values: readonly (number | null | undefined)[];
}

export interface ChartData {
  readonly x: readonly number[];
  readonly lines: readonly Line[];
}

export interface ChartOptions {
  /** What is shown, also to those who do not see it. */
  readonly title: string;
  readonly xLabel: string;
  readonly height?: number;
  /** Ends of the axes; where left out they fit the data. */
  readonly xRange?: readonly [number, number];
  readonly yRange?: readonly [number, number];
}

export interface Chart {
  readonly element: HTMLElement;
  set(data: ChartData): void;
}

const COLORS = 6;
const HEIGHT = 220;

/** Fills the width of where it is put. Lines may come and go. */
export function createChart({ title, xLabel, height = HEIGHT, xRange, yRange }: ChartOptions): Chart {
  const place = element("div", { class: "plot", role: "img", "aria-label": title });
  const figure = element("figure", { class: "chart" }, element("figcaption", {}, title), place);
  let plot: uPlot | undefined;
  let labels = "";
  let last: ChartData = { x: [], lines: [] };

  const build = (): void => {
    plot?.destroy();
    plot = new uPlot(
      {
        width: Math.max(120, place.clientWidth),
        height,
        cursor: { y: false, points: { size: 6 } },
        legend: { live: true },
        scales: {
          x: { time: false, ...(xRange === undefined ? {} : { range: [...xRange] }) },
          ...(yRange === undefined ? {} : { y: { range: [...yRange] } }),
        },
        axes: [axis(xLabel), { ...axis(""), values: (_, ticks) => ticks.map(shortNumber) }],
        series: [
          { label: xLabel },
          ...last.lines.map(({ label }, index) => ({
            label,
            stroke: color(index),
            width: index === 0 ? 2 : 1.4,
            points: { show: last.x.length < 2 },
            value: (_: unknown, value: number | null | undefined) =>
              typeof value === "number" ? shortNumber(value) : "",
          })),
        ],
      },
      aligned(last),
      place,
    );
  };

  new ResizeObserver(() => plot?.setSize({ width: Math.max(120, place.clientWidth), height })).observe(place);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => plot !== undefined && build());
  return {
    element: figure,
    set(data) {
      last = data;
      const names = data.lines.map(({ label }) => label).join("\n");
      if (plot === undefined || names !== labels) build();
      else plot.setData(aligned(data));
      labels = names;
    },
  };
}

/** Four digits tell neighbouring ticks apart. */
function shortNumber(value: number): string {
  return String(Number(value.toPrecision(4)));
}

function aligned({ x, lines }: ChartData): uPlot.AlignedData {
  return [x as number[], ...lines.map(({ values }) => values as (number | null | undefined)[])] as uPlot.AlignedData;
}

function axis(label: string): uPlot.Axis {
  const quiet = variable("--quiet");
  const rule = variable("--rule");
  return {
    stroke: quiet,
    grid: { stroke: rule, width: 1 },
    ticks: { stroke: rule, width: 1 },
    font: "12px system-ui, sans-serif",
    labelFont: "12px system-ui, sans-serif",
    ...(label === "" ? { size: 56 } : { label, labelSize: 18, size: 34 }),
  };
}

function color(index: number): string {
  return variable(`--c${index % COLORS}`);
}

function variable(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}
