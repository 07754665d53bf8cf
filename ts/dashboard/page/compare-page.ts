/** Several runs side by side: what they found, how they learned, and in what they differ. */
import { overlay, QUANTITIES, type Quantity, stepsOf } from "../view/overlaid-curves.js";
import type { RunComparison } from "../wire/comparison.js";
import { get } from "./api.js";
import { card } from "./card.js";
import { createChart } from "./chart.js";
import { labelled, select } from "./choice.js";
import { detectorCard } from "./detector-card.js";
import { type Child, element, replace } from "./dom.js";
import { settingCard } from "./setting-card.js";
import { heading, type Shell } from "./shell.js";

export async function showComparison(shell: Shell): Promise<void> {
  const ids = new URLSearchParams(location.search).getAll("run");
  const question = new URLSearchParams(ids.map((id) => ["run", id])).toString();
  const top = heading("Comparison", [element("a", { href: "/" }, "Runs")]);
  replace(shell.main, top, element("p", { role: "status" }, "Loading ..."));
  const comparison = await get<RunComparison>(`comparison?${question}`);
  replace(
    shell.main,
    top,
    warnings(comparison),
    detectorCard(comparison, question),
    curveCard(comparison),
    settingCard(comparison),
  );
}

function warnings({ warnings }: RunComparison): Child {
  if (warnings.length === 0) return undefined;
  return element(
    "div",
    { class: "notice warn", role: "note", "aria-label": "Warnings" },
    element("strong", {}, "To bear in mind"),
    element(
      "ul",
      {},
      warnings.map((text) => element("li", {}, text)),
    ),
  );
}

function curveCard({ runs }: RunComparison): Child {
  const steps = stepsOf(runs);
  if (steps.length === 0) return undefined;
  const step = select(
    "Step",
    steps.map((name) => [name, name]),
    steps.at(-1),
  );
  const quantity = select(
    "Quantity",
    QUANTITIES.map((name) => [name, name]),
  );
  const chart = createChart({ title: "Training, run by run", xLabel: "iteration", height: 300 });
  const draw = (): void => chart.set(overlay(runs, step.value, quantity.value as Quantity));
  step.addEventListener("change", draw);
  quantity.addEventListener("change", draw);
  queueMicrotask(draw);
  const beside = [labelled("Step", step), labelled("Show", quantity)];
  return card({ id: "curves", title: "Training", beside: element("div", { class: "filters" }, beside) }, chart.element);
}
