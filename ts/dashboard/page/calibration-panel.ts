/** Whether a score is the probability of being right. */
import { formatAp, formatNumber } from "../../report/format.js";
import type { CalibrationView } from "../wire/evaluation.js";
import { card } from "./card.js";
import { drawing, element } from "./dom.js";
import { numberOf } from "./numbers.js";
import { table } from "./table.js";

const SIDE = 200;
const MARGIN = 26;

export function calibrationPanel(calibration: CalibrationView): HTMLElement {
  const { ece, mce, bins, outOfRange } = calibration;
  const known = bins.filter(({ count }) => count > 0);
  return card(
    { id: "calibration", title: "Calibration at IoU 0.5" },
    element(
      "div",
      { class: "calibration" },
      diagram(calibration),
      element(
        "dl",
        { class: "numbers" },
        numberOf("expected error", formatAp(ece)),
        numberOf("largest error", formatAp(mce)),
      ),
    ),
    outOfRange > 0 && element("p", { class: "quiet" }, `${outOfRange} scores outside 0 to 1 are left out.`),
    element(
      "details",
      {},
      element("summary", {}, "As a table"),
      table(
        "Precision by score",
        [
          { name: "score" },
          ...["detections", "mean score", "precision"].map((name) => ({ name, kind: "number" }) as const),
        ],
        known.map(({ from, to, count, meanScore, precision }) => [
          `${formatNumber(from)} to ${formatNumber(to)}`,
          String(count),
          formatNumber(meanScore),
          formatAp(precision),
        ]),
      ),
    ),
  );
}

/** Bars on the diagonal are as right as their scores say; the more detections a bar has, the stronger its colour. */
function diagram({ bins }: CalibrationView): SVGSVGElement {
  const most = Math.max(1, ...bins.map(({ count }) => count));
  const ticks = [0, 0.5, 1];
  return drawing(
    "svg",
    {
      class: "reliability",
      viewBox: `${-MARGIN} -6 ${SIDE + MARGIN + 12} ${SIDE + 2 * MARGIN}`,
      role: "img",
      "aria-label": "Precision by score; the table below has the numbers",
    },
    bins.map(({ from, to, count, precision }) =>
      drawing("rect", {
        x: from * SIDE + 1,
        y: SIDE * (1 - precision),
        width: (to - from) * SIDE - 2,
        height: SIDE * precision,
        "fill-opacity": 0.25 + 0.75 * Math.sqrt(count / most),
      }),
    ),
    drawing("path", { d: `M0 0V${SIDE}H${SIDE}`, class: "axis" }),
    drawing("path", { d: `M0 ${SIDE}L${SIDE} 0`, class: "diagonal" }),
    ticks.map((tick) => [
      drawing("text", { x: tick * SIDE, y: SIDE + 14, "text-anchor": "middle" }, String(tick)),
      drawing("text", { x: -6, y: SIDE * (1 - tick) + 4, "text-anchor": "end" }, String(tick)),
    ]),
    drawing("text", { x: SIDE / 2, y: SIDE + 32, "text-anchor": "middle" }, "score"),
    drawing("text", { x: 6, y: 6 }, "precision"),
  );
}
