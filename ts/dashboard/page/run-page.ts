/** A run: its steps, curves, gates, pseudo labels, log and files, as they come. */

import type { GateChecked, StepProgress } from "../../gen/cassl/v1/run.js";
import { formatAp, formatDuration } from "../../report/format.js";
import type { StepsConfig } from "../view/expected-steps.js";
import { addEvent, addPoint, emptyRunView, type RunView } from "../view/run-view.js";
import { isUnfinished, type Overview, type RunDetail, type RunRow, type StreamedEvent } from "../wire.js";
import { get, listen } from "./api.js";
import { card } from "./card.js";
import { type Child, element, replace } from "./dom.js";
import { filePanel } from "./file-panel.js";
import { gatePanel } from "./gate-panel.js";
import { createLogPanel } from "./log-panel.js";
import { numberOf } from "./numbers.js";
import { actionButtons } from "./run-actions.js";
import { heading, runPath, runTabs, type Shell } from "./shell.js";
import { stageGraph } from "./stage-graph.js";
import { stateBadge } from "./state-badge.js";
import { moment } from "./time.js";
import { createTrainingPanel } from "./training-panel.js";

export async function showRun(shell: Shell, id: string): Promise<void> {
  const path = `runs/${encodeURIComponent(id)}`;
  let detail = await get<RunDetail>(path);
  let view = emptyRunView();
  const top = element("div");
  const steps = element("div");
  const results = element("div");
  const gates = element("div");
  const files = element("div");
  const workers = element("div");
  const training = createTrainingPanel();
  const log = createLogPanel();
  replace(
    shell.main,
    top,
    runTabs(id, "run"),
    card({ id: "steps", title: "Stages" }, steps),
    results,
    training.element,
    gates,
    element("div", { class: "columns" }, log.element, element("div", {}, workers, files)),
  );

  const drawDetail = (): void => {
    replace(
      top,
      runHeading(detail, shell, () => [...view.gates.values()]),
      failure(detail.row),
    );
    replace(results, resultPanel(detail));
    replace(files, filePanel(detail));
  };
  const draw = frameByFrame(() => {
    replace(steps, stageGraph(view, detail.config as StepsConfig, !isUnfinished(detail.row.state)));
    replace(gates, gatePanel([...view.gates.values()]));
    training.set(view.curves);
    log.set(view.log);
  });
  const refresh = afterQuiet(200, async () => {
    detail = await get<RunDetail>(path);
    drawDetail();
    draw();
  });

  drawDetail();
  draw();
  const stream = listen((lastId) => `${path}/events${lastId === "" ? "" : `?after=${lastId}`}`, {
    onData(data) {
      const event = data as StreamedEvent;
      // A stream that starts anew tells everything again.
      if (event.sequence === 1) view = emptyRunView();
      addEvent(view, event);
      const kind = event.event?.$case;
      if (kind === "step_finished") void loadReused(view, event).then(draw);
      if (kind === "step_finished" || kind === "state_changed") refresh();
      if (event.event?.$case === "state_changed") announceEnd(shell, detail.row.id, event);
      draw();
    },
    onConnection: shell.setConnected,
  });
  listen(() => `overview/events?run=${encodeURIComponent(id)}`, {
    onData: (data) => {
      const { runs, workers: attached } = data as Overview;
      replace(workers, workerPanel(id, attached));
      const row = runs.find((other) => other.id === id);
      if (row === undefined || (row.state === detail.row.state && row.finished === detail.row.finished)) return;
      // It may have been tried again, and even have ended again.
      stream.resume();
      refresh();
    },
    onConnection: () => {},
  });
}

/** Training that an earlier run did is not told by this run's events. */
async function loadReused(view: RunView, { event }: StreamedEvent): Promise<void> {
  if (event?.$case !== "step_finished" || !event.value.reused) return;
  const { step, key } = event.value;
  if (!/(pseudo_labeler|pretrain|mean_teacher|warmup|finetune)$/.test(step) || view.curves.has(step)) return;
  for (const { progress } of await get<StepProgress[]>(`steps/${key}/progress`)) {
    if (progress?.$case === "train") addPoint(view, step, progress.value);
  }
}

function announceEnd(shell: Shell, id: string, { event }: StreamedEvent): void {
  if (event?.$case !== "state_changed") return;
  const { error } = event.value;
  if (error !== undefined) shell.announce(`${id}: ${error.message}`);
}

function runHeading(
  { row, config_hash, has_report, overridden_gates }: RunDetail,
  shell: Shell,
  gates: () => readonly GateChecked[],
): Child {
  const { id, created, finished, state } = row;
  const took = formatDuration(((finished ?? Date.now()) - created) / 1000);
  const files = `/api/runs/${encodeURIComponent(id)}/files`;
  return [
    heading(
      id,
      [element("a", { href: "/" }, "Runs")],
      has_report && element("a", { class: "button", href: `${files}/report.html`, target: "_blank" }, "Report"),
      shell.session.mayChange && actionButtons(row, gates),
    ),
    element(
      "p",
      { class: "facts" },
      stateBadge(state),
      element("span", {}, "started ", moment(created)),
      element("span", {}, `${finished === undefined ? "since" : "took"} ${took}`),
      element("span", {}, "configuration ", element("code", { title: config_hash }, config_hash.slice(0, 12))),
      overridden_gates.length > 0 && element("span", {}, `gates overridden: ${overridden_gates.join(", ")}`),
    ),
  ];
}

function failure({ error, state }: RunRow): Child {
  if (error === undefined || isUnfinished(state)) return undefined;
  return element(
    "div",
    { class: `notice ${state === "cancelled" ? "" : "bad"}` },
    element("strong", {}, error.reason),
    element("p", {}, error.message),
    element("p", { class: "quiet" }, error.remedy),
  );
}

function resultPanel({ row, evaluations, labelings }: RunDetail): Child {
  if (evaluations.length === 0 && labelings.length === 0) return undefined;
  return element(
    "div",
    { class: "columns even" },
    evaluations.length > 0 &&
      card(
        { id: "result", title: "Average precision on the validation set" },
        evaluations.map(({ step, ap, ap50, ap75, class_agnostic_ap }) =>
          element(
            "div",
            { class: "arm" },
            element("h3", {}, step.replace(/\/?evaluate$/, "")),
            element(
              "dl",
              { class: "numbers" },
              numberOf("AP", formatAp(ap)),
              numberOf("AP50", formatAp(ap50)),
              numberOf("AP75", formatAp(ap75)),
              numberOf("class-agnostic", formatAp(class_agnostic_ap)),
            ),
          ),
        ),
      ),
    labelings.length > 0 &&
      card(
        { id: "labels", title: "Pseudo labels" },
        labelings.map(({ scope, selected, precision, recall }) =>
          element(
            "div",
            { class: "arm" },
            element(
              "h3",
              {},
              element("a", { href: `${runPath(row.id)}/labels?scope=${encodeURIComponent(scope)}` }, scope),
            ),
            element(
              "dl",
              { class: "numbers" },
              selected && numberOf("boxes", String(selected.pseudo_labels)),
              selected && numberOf("per image", (selected.pseudo_labels / Math.max(1, selected.images)).toFixed(1)),
              selected && numberOf("threshold", selected.score_threshold.toFixed(3)),
              precision !== undefined && numberOf("precision", formatAp(precision)),
              recall !== undefined && numberOf("recall", formatAp(recall)),
            ),
          ),
        ),
      ),
  );
}

function workerPanel(id: string, workers: Overview["workers"]): Child {
  const busy = workers.filter(({ steps }) => steps.some(({ run }) => run === id));
  if (busy.length === 0) return undefined;
  return card(
    { id: "workers", title: "Workers" },
    element(
      "ul",
      { class: "plain-list" },
      busy.map(({ name, host, devices, steps }) =>
        element(
          "li",
          {},
          element("strong", {}, name),
          element("span", { class: "quiet" }, ` ${host}, ${devices.join(", ")}: `),
          steps.find(({ run }) => run === id)?.step,
        ),
      ),
    ),
  );
}

/** Draws once a frame however many events come. */
function frameByFrame(draw: () => void): () => void {
  let isAsked = false;
  return () => {
    if (isAsked) return;
    isAsked = true;
    setTimeout(() => {
      isAsked = false;
      draw();
    }, 100);
  };
}

/** Works once nobody has asked for a while. */
function afterQuiet(quietMs: number, work: () => Promise<void>): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  return () => {
    clearTimeout(timer);
    timer = setTimeout(() => void work().catch(() => {}), quietMs);
  };
}
