/** What a score selects: it is chosen with a slider, while bars and numbers say what comes of it. */
import { formatAp } from "../../report/format.js";
import { countKept, countOutcomes, estimateAt, scoreHistogram } from "../view/label-table.js";
import { type Child, element, replace } from "./dom.js";
import { scoreBars } from "./histogram.js";
import type { LoadedLabels } from "./loaded-labels.js";
import { numberOf } from "./numbers.js";

export interface SelectionCard {
  readonly element: HTMLElement;
  threshold(): number;
  /** @param threshold that the run has chosen; undefined if it has not come to that. */
  showThresholdOfRun(threshold: number | undefined): void;
}

export interface SelectionListeners {
  readonly onMove: () => void;
  /** After the last move. */
  readonly onSettle: () => void;
}

const BARS = 50;
const FIRST_THRESHOLD = 0.5;

export function createSelectionCard(labels: LoadedLabels, { onMove, onSettle }: SelectionListeners): SelectionCard {
  let threshold = labels.set.threshold ?? FIRST_THRESHOLD;
  const histogram = scoreHistogram(labels.table, BARS);
  const slider = element("input", { type: "range", id: "threshold", min: 0, max: 1, step: 0.005, value: threshold });
  const [exact, ofRun] = [element("output", { for: "threshold" }), element("span", { class: "quiet" })];
  const bars = element("div", { class: "bars" });
  const numbers = element("dl", { class: "numbers", "aria-live": "off" });
  const draw = (): void => {
    replace(exact, threshold.toFixed(3));
    replace(bars, scoreBars(histogram, threshold));
    replace(numbers, numbersAt(labels, threshold));
  };
  slider.addEventListener("input", () => {
    threshold = Number(slider.value);
    draw();
    onMove();
  });
  slider.addEventListener("change", onSettle);
  draw();
  const name = element("label", { for: "threshold" }, "Score threshold ", exact);
  return {
    element: layOut([bars, slider, name, ofRun], numbers),
    threshold: () => threshold,
    showThresholdOfRun: (chosen) => replace(ofRun, chosen !== undefined && `the run's: ${chosen.toFixed(3)}`),
  };
}

function layOut(threshold: Child, numbers: HTMLElement): HTMLElement {
  return element(
    "section",
    { class: "card selection", "aria-label": "Selection" },
    element("div", { class: "threshold" }, threshold),
    numbers,
  );
}

function numbersAt(labels: LoadedLabels, threshold: number): Child {
  const { table, set, hasTruth } = labels;
  const { boxes, emptyImages } = countKept(table, threshold);
  const estimate = estimateAt(set.curve, threshold);
  const outcome = hasTruth ? countOutcomes(labels, threshold) : undefined;
  return [
    numberOf("boxes", String(boxes)),
    numberOf("per image", (boxes / Math.max(1, table.files.length)).toFixed(2)),
    numberOf("images without", String(emptyImages)),
    estimate && numberOf("precision (held out)", formatAp(estimate.precision)),
    estimate && numberOf("recall (held out)", formatAp(estimate.recall)),
    outcome && numberOf("right", String(outcome.right)),
    outcome && numberOf("wrong", String(outcome.wrong)),
    outcome && numberOf("missed", String(outcome.missed)),
  ];
}
