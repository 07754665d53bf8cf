/** Precision over recall, of one class or of all. */
import { meanCurve } from "../view/precision-view.js";
import type { EvaluationView } from "../wire/evaluation.js";
import { card } from "./card.js";
import { createChart } from "./chart.js";
import { select } from "./choice.js";

const RECALLS = Array.from({ length: 101 }, (_, percent) => percent / 100);

export function curvePanel({ classes, curves }: Pick<EvaluationView, "classes" | "curves">): HTMLElement {
  const chart = createChart({ title: "Precision over recall", xLabel: "recall", xRange: [0, 1], yRange: [0, 1.02] });
  const known = classes.flatMap(({ name, positives }, index) =>
    positives > 0 ? [[String(index), name] as const] : [],
  );
  const choice = select("Class of the curves", [["", "mean of all classes"], ...known]);
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
