/** A run: its steps, curves, gates, pseudo labels, log and files, as they come. */
import type { StepProgress } from "../../gen/cassl/v1/run.js";
import type { StepsConfig } from "../view/expected-steps.js";
import { addEvent, addPoint, emptyRunView, type RunView } from "../view/run-view.js";
import { isUnfinished, type Overview, type RunDetail, type StreamedEvent } from "../wire/runs.js";
import { get, listen } from "./api.js";
import { card } from "./card.js";
import { type Child, element, replace } from "./dom.js";
import { filePanel } from "./file-panel.js";
import { gatePanel } from "./gate-panel.js";
import { createLogPanel } from "./log-panel.js";
import { afterQuiet, atMostEvery } from "./pacing.js";
import { resultPanel } from "./result-panel.js";
import { failure, runHeading } from "./run-heading.js";
import { runTabs, type Shell } from "./shell.js";
import { stageGraph } from "./stage-graph.js";
import { createTrainingPanel } from "./training-panel.js";

const DRAW_PAUSE_MS = 100;
/** After an event, until the run is asked for as a whole. */
const QUIET_MS = 200;

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
  const draw = atMostEvery(DRAW_PAUSE_MS, () => {
    replace(steps, stageGraph(view, detail.config as StepsConfig, !isUnfinished(detail.row.state)));
    replace(gates, gatePanel([...view.gates.values()]));
    training.set(view.curves);
    log.set(view.log);
  });
  const refresh = afterQuiet(QUIET_MS, async () => {
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
