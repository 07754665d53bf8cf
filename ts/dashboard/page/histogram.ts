/** Scores as bars, those at the threshold or above coloured. */
import { drawing } from "./dom.js";

const WIDTH = 400;
const HEIGHT = 70;

/** @param counts of parts of [0, 1] of equal width. The height is the square root of the count, so that few show, too. */
export function scoreBars(counts: readonly number[], threshold: number): SVGSVGElement {
  const most = Math.max(1, ...counts);
  const width = WIDTH / counts.length;
  return drawing(
    "svg",
    {
      class: "histogram",
      viewBox: `0 0 ${WIDTH} ${HEIGHT}`,
      preserveAspectRatio: "none",
      role: "img",
      "aria-label": "Boxes by score, square root scale",
    },
    counts.map((count, index) => {
      const height = HEIGHT * Math.sqrt(count / most);
      const isKept = (index + 0.5) / counts.length >= threshold;
      return drawing("rect", {
        class: isKept ? "kept" : "",
        x: index * width + 0.5,
        y: HEIGHT - height,
        width: Math.max(0.5, width - 1),
        height,
      });
    }),
    drawing("line", { x1: threshold * WIDTH, x2: threshold * WIDTH, y1: 0, y2: HEIGHT }),
  );
}
