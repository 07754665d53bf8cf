/** How good a detector is, where AP is lost, and at which images one sees it. */
import { formatAp, formatNumber } from "../../report/format.js";
import type { ApSummary, BestScore, EvaluatedClass, EvaluationView, IouType } from "../wire/evaluation.js";
import { get } from "./api.js";
import { shareBar } from "./bar.js";
import { calibrationPanel } from "./calibration-panel.js";
import { card } from "./card.js";
import { select } from "./choice.js";
import { confusionPanel } from "./confusion-panel.js";
import { curvePanel } from "./curve-panel.js";
import { type Child, element } from "./dom.js";
import { errorPanel } from "./error-panel.js";
import { numberOf } from "./numbers.js";
import { offer, type Part, showView } from "./run-view.js";
import { runPath, type Shell } from "./shell.js";
import { table } from "./table.js";
import { worstPanel } from "./worst-panel.js";

const IOU_NAMES: Readonly<Record<IouType, string>> = { bbox: "boxes", segm: "masks" };
type ShownEvaluation = Omit<EvaluationView, "steps">;
const number = (name: string) => ({ name, kind: "number" as const });

export function showEvaluation(shell: Shell, runId: string): void {
  const asked = new URLSearchParams(location.search);
  const path = `runs/${encodeURIComponent(runId)}/evaluation`;
  /** What is looked at stays when there is something newer, which is offered. */
  let first: EvaluationView | undefined;
  showView(shell, runId, {
    name: "evaluation",
    isThere: ({ evaluations }) => evaluations.length > 0,
    waiting: {
      message: `The run \`${runId}\` has evaluated no detector yet.`,
      remedy: "The first one is shown here when an arm has come to its end.",
    },
    async load() {
      const step = first?.step ?? asked.get("step") ?? "";
      const question = new URLSearchParams({ step, iou: asked.get("iou") ?? "bbox" });
      const view = await get<EvaluationView>(`${path}?${question}`);
      first ??= view;
      const isNew = (name: string): boolean => first?.steps.includes(name) === false;
      return { choices: choicePart(runId, view, view.steps.filter(isNew)), parts: [panelPart(runId, path, view)] };
    },
  });
}

function panelPart(runId: string, path: string, { steps: _, ...view }: EvaluationView): Part {
  const question = new URLSearchParams({ step: view.step, iou: view.iouType });
  const images = (query: string): string => `${path}/images?${question}${query}`;
  return { version: JSON.stringify(view), draw: () => panels(runId, view, images) };
}

function choicePart(runId: string, view: EvaluationView, newer: readonly string[]): Part {
  return {
    version: JSON.stringify(view.steps),
    draw: () => [newer.map((step) => offerStep(runId, step)), choices(runId, view)],
  };
}

function offerStep(runId: string, step: string): HTMLElement {
  return offer(nameOf(step), `${runPath(runId)}/evaluation?${new URLSearchParams({ step })}`);
}

function nameOf(step: string): string {
  return step.replace(/\/?evaluate$/, "");
}

function panels(runId: string, view: ShownEvaluation, images: (query: string) => string): Child {
  return [
    element("div", { class: "columns even" }, awarenessPanel(view), errorPanel(view.errors)),
    element("div", { class: "columns even" }, curvePanel(view), calibrationPanel(view.calibration)),
    confusionPanel(runId, view, images),
    worstPanel(runId, view, images),
    classPanel(view.classes),
  ];
}

/** What finding and what naming objects costs. */
function awarenessPanel({ awareness, best, images }: ShownEvaluation): HTMLElement {
  const row = (name: string, { ap, ap50, ap75, ar100 }: ApSummary): Child[] => [
    name,
    [shareBar(ap), ` ${formatAp(ap)}`],
    ...[ap50, ap75, ar100].map(formatAp),
  ];
  const columns = [{ name: "classes" }, { name: "AP" }, number("AP50"), number("AP75"), number("AR")];
  return card(
    { id: "awareness", title: "Class-aware and class-agnostic" },
    table("AP with and without classes", columns, [
      row("as detected", awareness.classAware),
      row("of the object overlapped most", awareness.oracleClass),
      row("none", awareness.classAgnostic),
    ]),
    element(
      "dl",
      { class: "numbers" },
      numberOf("validation images", String(images)),
      numberOf("best F1 at IoU 0.5", formatAp(best.f1)),
      numberOf("from score", scoreText(best)),
      numberOf("precision there", formatAp(best.precision)),
      numberOf("recall there", formatAp(best.recall)),
    ),
  );
}

function classPanel(classes: readonly EvaluatedClass[]): HTMLElement {
  const columns = [
    { name: "class" },
    ...["objects", "detections"].map(number),
    { name: "AP" },
    ...["AP50", "AP75", "AR", "best F1", "from score"].map(number),
  ];
  const cells = (row: EvaluatedClass): Child[] => [
    row.name,
    String(row.positives),
    String(row.detections),
    [shareBar(row.ap), ` ${formatAp(row.ap)}`],
    ...[row.ap50, row.ap75, row.ar, row.f1].map(formatAp),
    scoreText(row),
  ];
  const worstFirst = [...classes].sort((a, b) => Number(a.ap < 0) - Number(b.ap < 0) || a.ap - b.ap);
  return card({ id: "classes", title: "Classes" }, table("AP of each class", columns, worstFirst.map(cells)));
}

function scoreText({ threshold }: BestScore): string {
  return threshold === null ? "-" : formatNumber(threshold);
}

function choices(runId: string, { step, steps, iouType, iouTypes }: EvaluationView): HTMLElement {
  const addressOf = (name: string, iou: IouType): string => String(new URLSearchParams({ step: name, iou }));
  const options = steps.flatMap((name) =>
    iouTypes.map((iou) => {
      const text = `${nameOf(name)}${iouTypes.length > 1 ? `, ${IOU_NAMES[iou]}` : ""}`;
      return [addressOf(name, iou), text] as const;
    }),
  );
  const choice = select("Evaluation", options, addressOf(step, iouType));
  choice.addEventListener("change", () => location.assign(`${runPath(runId)}/evaluation?${choice.value}`));
  return choice;
}
