/** What the detectors of several runs found, and whether one is better or only luckier with the images. */
import { formatAp } from "../../report/format.js";
import type { ApDifference, ApDifferences, ComparedDetector, RunComparison } from "../wire/comparison.js";
import { type ApiError, get } from "./api.js";
import { card } from "./card.js";
import { labelled, select } from "./choice.js";
import { element, replace } from "./dom.js";
import { runPath } from "./shell.js";

type Compared = ApDifference | "baseline" | null | undefined;

/** @param question the runs, as the server is asked for them. */
export function detectorCard({ detectors }: RunComparison, question: string): HTMLElement {
  const choice = select(
    "Compared with",
    detectors.map((detector, index) => [String(index), nameOf(detector)]),
  );
  const rows = element("tbody");
  const note = element("p", { class: "quiet", role: "status" });
  const draw = (differences: readonly (ApDifference | null | undefined)[]): void =>
    replace(
      rows,
      detectors.map((detector, index) =>
        detectorRow(detector, index === Number(choice.value) ? "baseline" : differences[index]),
      ),
    );
  const load = async (): Promise<void> => {
    const baseline = choice.value;
    draw([]);
    replace(note, "Drawing samples of the validation images ...");
    const found = await get<ApDifferences>(`comparison/differences?${question}&baseline=${baseline}`);
    if (choice.value !== baseline) return;
    draw(found.differences);
    replace(note, explain(found));
  };
  const start = (): void => void load().catch(({ message }: ApiError) => replace(note, message));
  choice.addEventListener("change", start);
  if (detectors.length > 0) start();
  else replace(note, "No run has a result yet.");
  return card(
    { id: "detectors", title: "Average precision", beside: detectors.length > 1 && labelled("Compared with", choice) },
    element(
      "div",
      { class: "scroll", tabindex: 0, role: "region", "aria-label": "Average precision of each detector" },
      element("table", { class: "detectors" }, detectorHead(), rows),
    ),
    note,
  );
}

function explain({ confidence, resamples }: ApDifferences): string {
  return `In brackets: ${100 * confidence} % intervals of ${resamples} samples of the validation images, the same for both detectors. They say nothing about other seeds.`;
}

function detectorHead(): HTMLElement {
  const names = ["Run", "Arm", "Detector", "Seed", "Labeled", "Iterations", "AP", "AP50", "AP75", "Class-agnostic AP"];
  const head = (name: string, index: number): HTMLElement =>
    element("th", { scope: "col", class: index > 2 ? "number" : undefined }, name);
  return element("thead", {}, element("tr", {}, [...names, "Difference of AP"].map(head)));
}

function detectorRow(detector: ComparedDetector, difference: Compared): HTMLElement {
  const { run, arm, target, seed, labeled_images, total_iterations } = detector;
  const { ap, ap50, ap75, class_agnostic_ap } = detector;
  const number = (text: string | number): HTMLElement => element("td", { class: "number" }, text);
  return element(
    "tr",
    {},
    element("th", { scope: "row" }, element("a", { href: runPath(run) }, run)),
    element("td", {}, arm),
    element("td", {}, target),
    [seed, labeled_images, total_iterations].map(number),
    [ap, ap50, ap75, class_agnostic_ap].map((value) => number(formatAp(value))),
    element("td", { class: `number ${signOf(difference)}` }, describeDifference(difference)),
  );
}

function describeDifference(difference: Compared): string {
  if (difference === "baseline") return "baseline";
  if (difference === undefined) return "";
  if (difference === null) return "other images";
  return `${points(difference.difference)} [${points(difference.lower)}, ${points(difference.upper)}]`;
}

/** What an interval without 0 says; colour is not all that says it. */
function signOf(difference: Compared): "better" | "worse" | "" {
  if (difference === "baseline" || difference === undefined || difference === null) return "";
  if (difference.lower > 0) return "better";
  return difference.upper < 0 ? "worse" : "";
}

function points(value: number): string {
  return `${value > 0 ? "+" : ""}${(100 * value).toFixed(1)}`;
}

function nameOf({ run, arm, target }: ComparedDetector): string {
  return `${run}: ${arm}, ${target}`;
}
