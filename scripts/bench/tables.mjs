/** Results of benchmarks as tables: for the terminal, and as Markdown for docs/benchmarks.md. */

const RATIOS = ["benchmark", "case", "cassl", "peak MB", "reference", "its value", "its peak MB", "ratio"];
const GROWTH = ["what grows", "size", "seconds", "peak MB", "exponent"];

/** @returns rows of text, the header first. The ratio is above 1 where cassl is better. */
export function ratioRows(comparisons) {
  return [
    RATIOS,
    ...comparisons.map(({ bench, case: name, ours, reference, ratio }) => [
      bench,
      name,
      measured(ours),
      megabytes(ours),
      reference?.name ?? "-",
      reference ? measured(reference) : "-",
      reference ? megabytes(reference) : "-",
      ratio === null ? "-" : ratio.toFixed(2),
    ]),
  ];
}

/** The exponent is that of the size by which seconds grow since the line before: 1 is linear. */
export function growthRows(points) {
  return [
    GROWTH,
    ...points.map(({ case: name, size, seconds, peak_mb }, i) => {
      const before = points[i - 1];
      const isFirst = before?.case !== name;
      const exponent = isFirst ? "" : (Math.log(seconds / before.seconds) / Math.log(size / before.size)).toFixed(2);
      return [name, size.toLocaleString("en"), seconds.toFixed(2), peak_mb.toFixed(0), exponent];
    }),
  ];
}

export function markdown([header, ...rows]) {
  const line = (cells) => `| ${cells.join(" | ")} |`;
  return [line(header), line(header.map(() => "---")), ...rows.map(line)].join("\n");
}

/** Seconds where the bench is of a time, else its own value. */
function measured({ seconds, value, unit }) {
  const isRate = unit?.endsWith("/s") || unit?.startsWith("ms");
  if (isRate) return `${value < 100 ? value.toFixed(1) : Math.round(value).toLocaleString("en")} ${unit}`;
  return seconds === undefined ? "-" : `${seconds.toFixed(2)} s`;
}

function megabytes({ peak_mb }) {
  return peak_mb === undefined ? "-" : peak_mb.toFixed(0);
}
