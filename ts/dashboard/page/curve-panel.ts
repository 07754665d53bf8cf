/** Precision over recall, of one class or of all. */
import { meanCurve } from "../view/precision-view.js";
import type { EvaluationView } from "../wire.js";
import { card } from "./card.js";
import { createChart } from "./chart.js";
import { element } from "./dom.js";

const RECALLS = Array.from({ length: 101 }, (_, percent) => percent / 100);

export function curvePanel({ classes, curves }: EvaluationView): HTMLElement {
  const chart = createChart({ title: "Precision over recall", xLabel: "recall", xRange: [0, 1], yRange: [0, 1.02] });
  const choice = element(
    "select",
    { "aria-label": "Class of the curves" },
    element("option", { value: "" }, "mean of all classes"),
    classes.map(({ name, positives }, index) => positives > 0 && element("option", { value: index }, name)),
  );
  const draw = (): void => {
    const lines = curves.map(({ iou, precision }) => {
      const values = choice.value === "" ? meanCurve(precision) : (precision[Number(choice.value)] ?? []);
      return { label: `IoU ${iou}`, values };
    });
    chart.set({ x: RECALLS, lines });
  };
  choice.addEventListener("change", draw);
  // The chart is as wide as its place, which it has from the next frame on.
  requestAnimationFrame(draw);
  return card({ id: "curves", title: "Precision and recall", beside: choice }, chart.element);
}
