/** Loss and learning rate of the training steps; the one under way, unless the reader has chosen another. */
import type { TrainProgress } from "../../gen/cassl/v1/worker_service.js";
import { formatBatch, formatNumber } from "../../report/format.js";
import { lossNames } from "../../report/loss-names.js";
import { card } from "./card.js";
import { createChart, type Line } from "./chart.js";
import { element, replace } from "./dom.js";

export interface TrainingPanel {
  readonly element: HTMLElement;
  set(curves: ReadonlyMap<string, readonly TrainProgress[]>): void;
}

export function createTrainingPanel(): TrainingPanel {
  const loss = createChart({ title: "Loss", xLabel: "iteration" });
  const rate = createChart({ title: "Learning rate", xLabel: "iteration" });
  const choice = element("div", { class: "choice", role: "group", "aria-label": "Step" });
  const latest = element("p", { class: "quiet" });
  const panel = card(
    { id: "training", title: "Training", beside: choice },
    element("div", { class: "columns even" }, loss.element, rate.element),
    latest,
  );
  panel.hidden = true;
  let chosen: string | undefined;
  let curves: ReadonlyMap<string, readonly TrainProgress[]> = new Map();

  const draw = (): void => {
    const names = [...curves.keys()];
    panel.hidden = names.length === 0;
    const step = chosen !== undefined && curves.has(chosen) ? chosen : names.at(-1);
    const points = step === undefined ? undefined : curves.get(step);
    if (step === undefined || points === undefined) return;
    drawChoice(names, step);
    const x = points.map(({ iteration }) => iteration);
    loss.set({ x, lines: lossLines(points) });
    rate.set({ x, lines: [{ label: "learning rate", values: points.map(({ learning_rate }) => learning_rate) }] });
    replace(latest, describe(points.at(-1)));
  };
  const drawChoice = (names: readonly string[], step: string): void => {
    const buttons = names.map((name) => {
      const choose = (): void => {
        chosen = name;
        draw();
      };
      return element("button", { "aria-pressed": name === step ? "true" : "false", onclick: choose }, name);
    });
    const focused = [...choice.children].indexOf(document.activeElement as Element);
    replace(choice, buttons);
    buttons[focused]?.focus();
  };
  return {
    element: panel,
    set(next) {
      curves = next;
      draw();
    },
  };
}

function lossLines(points: readonly TrainProgress[]): Line[] {
  return lossNames(points).map((label) => ({ label, values: points.map(({ losses }) => losses[label] ?? null) }));
}

function describe(point: TrainProgress | undefined): string {
  if (point === undefined) return "";
  const { iteration, total_iterations, losses, images_per_second } = point;
  const loss = losses["total"] === undefined ? "" : `, loss ${formatNumber(losses["total"])}`;
  const parts = [`Iteration ${iteration} of ${total_iterations}${loss}`, `${formatNumber(images_per_second)} images/s`];
  return [...parts, formatBatch(point)].filter(Boolean).join(", ");
}
