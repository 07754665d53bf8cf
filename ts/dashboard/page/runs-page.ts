/** The list of runs, and the workers. */
import { formatAp, formatDuration } from "../../report/format.js";
import { MOST_COMPARED } from "../wire/comparison.js";
import { type Overview, RUN_STATES, type RunRow, type WorkerRow } from "../wire/runs.js";
import { listen } from "./api.js";
import { named, select } from "./choice.js";
import { comparisonPath } from "./comparison-path.js";
import { type Child, element, replace } from "./dom.js";
import { heading, runPath, type Shell } from "./shell.js";
import { stateBadge } from "./state-badge.js";
import { moment } from "./time.js";

export function showRuns(shell: Shell): void {
  /** The newest first. */
  let runs: RunRow[] = [];
  const drawn = new Map<string, { readonly row: RunRow; readonly element: HTMLElement }>();
  const text = element("input", { type: "search", placeholder: "Filter by id or name", "aria-label": "Filter runs" });
  const state = select("State", [["", "Every state"], ...named(RUN_STATES)]);
  const table = element("tbody");
  const count = element("span", { class: "quiet", role: "status" });
  const workers = element("div", { class: "workers" });
  const chosen = new Set<string>();
  const compare = element("button", { onclick: () => location.assign(comparisonPath(chosen)) });

  const choiceOf = (id: string): HTMLElement => {
    const box = element("input", {
      type: "checkbox",
      id: `compare-${id}`,
      "aria-label": `Compare ${id}`,
      checked: chosen.has(id),
    });
    box.addEventListener("change", () => {
      if (box.checked) chosen.add(id);
      else chosen.delete(id);
      drawCompare();
    });
    return box;
  };
  const elementOf = (row: RunRow): HTMLElement => {
    const known = drawn.get(row.id);
    if (known?.row === row) return known.element;
    const made = runRow(row, choiceOf(row.id));
    drawn.set(row.id, { row, element: made });
    return made;
  };
  const draw = (): void => {
    const shown = runs.filter((row) => matches(row, text.value, state.value));
    replace(count, describeCount(shown.length, runs.length));
    if (shown.length > 0) keepFocus(table, () => replace(table, shown.map(elementOf)));
    else replace(table, emptyRow(runs.length === 0));
  };
  const drawCompare = (): void => {
    compare.disabled = chosen.size < 2 || chosen.size > MOST_COMPARED;
    const hint = chosen.size > MOST_COMPARED ? `, ${MOST_COMPARED} at most` : "";
    replace(compare, chosen.size < 2 ? "Compare: choose runs" : `Compare ${chosen.size} runs${hint}`);
  };
  drawCompare();
  text.addEventListener("input", draw);
  state.addEventListener("change", draw);

  replace(
    shell.main,
    heading("Runs"),
    element("div", { class: "filters", role: "search" }, text, state, count, compare),
    element(
      "div",
      { class: "card scroll", tabindex: 0, role: "region", "aria-label": "Runs" },
      element("table", { class: "runs" }, tableHead(), table),
    ),
    element("h2", {}, "Workers"),
    workers,
  );
  listen(() => "overview/events", {
    onData(data) {
      const { runs: changed, workers: attached } = data as Overview;
      runs = withChanges(runs, changed);
      draw();
      replace(workers, workerCards(attached));
    },
    onConnection(isOpen) {
      // A stream starts with all runs there are.
      if (isOpen) runs = [];
      shell.setConnected(isOpen);
    },
  });
}

function withChanges(runs: readonly RunRow[], changed: readonly RunRow[]): RunRow[] {
  const all = new Map([...runs, ...changed].map((row) => [row.id, row]));
  return [...all.values()].sort((a, b) => b.created - a.created);
}

/** Elements that are put in again, or that others come in the place of, lose the focus. */
function keepFocus(parent: HTMLElement, draw: () => void): void {
  const focused = document.activeElement;
  const id = focused !== null && parent.contains(focused) ? focused.id : "";
  draw();
  if (id !== "") document.getElementById(id)?.focus();
}

function tableHead(): HTMLElement {
  const head = (name: string, kind = ""): HTMLElement => element("th", { scope: "col", class: kind }, name);
  return element(
    "thead",
    {},
    element(
      "tr",
      {},
      element("th", { scope: "col" }, element("span", { class: "unseen" }, "Compare")),
      head("Run"),
      head("State"),
      head("Step"),
      head("AP", "number"),
      head("Started"),
      head("Took", "number"),
    ),
  );
}

function matches({ id, name, state }: RunRow, text: string, wanted: string): boolean {
  const needle = text.trim().toLowerCase();
  return (wanted === "" || state === wanted) && `${id} ${name}`.toLowerCase().includes(needle);
}

function describeCount(shown: number, all: number): string {
  return shown === all ? `${all} ${all === 1 ? "run" : "runs"}` : `${shown} of ${all} runs`;
}

function emptyRow(isEmpty: boolean): HTMLElement {
  const hint: Child = isEmpty
    ? ["No run yet. Start one with ", element("code", {}, "npx cassl submit cassl.yaml"), "."]
    : "No run matches the filter.";
  return element("tr", {}, element("td", { colspan: 7, class: "empty" }, hint));
}

function runRow(row: RunRow, choice: HTMLElement): HTMLElement {
  const { id, state, created, finished } = row;
  const took = (finished ?? Date.now()) - created;
  return element(
    "tr",
    {},
    element("td", {}, choice),
    element("th", { scope: "row" }, element("a", { id: `run-${id}`, href: runPath(id) }, id)),
    element("td", {}, stateBadge(state)),
    element("td", {}, stepCell(row)),
    element("td", { class: "number" }, scoreCell(row)),
    element("td", { class: "quiet" }, moment(created)),
    element("td", { class: "number quiet" }, state === "pending" ? "" : formatDuration(took / 1000)),
  );
}

function stepCell({ state, step, progress, error }: RunRow): Child {
  if (state === "failed" && error !== undefined)
    return element("span", { class: "fault", title: error.message }, error.reason);
  if (step === undefined || state === "succeeded") return undefined;
  return [
    element("span", {}, step),
    progress !== undefined &&
      state === "running" &&
      element("progress", { max: 1, value: progress, "aria-label": `Progress of ${step}` }),
  ];
}

function scoreCell({ scores }: RunRow): Child {
  return scores.map(({ arm, ap }) =>
    element("span", { class: "score", title: arm }, element("span", { class: "quiet" }, initials(arm)), formatAp(ap)),
  );
}

/** `ca` of class_agnostic: the whole name is in the title. */
function initials(arm: string): string {
  return arm.split("_").length === 1 ? arm.slice(0, 3) : arm.replace(/(^|_)(\w)[^_]*/g, "$2");
}

function workerCards(workers: readonly WorkerRow[]): Child {
  if (workers.length === 0)
    return element(
      "p",
      { class: "quiet" },
      "No worker is attached. ",
      element("code", {}, "cassl-worker --controller HOST:PORT"),
    );
  return workers.map(({ name, host, devices, steps, draining }) =>
    element(
      "div",
      { class: "card worker" },
      element("strong", {}, name),
      element(
        "span",
        { class: `badge ${steps.length === 0 ? "idle" : "running"}` },
        steps.length === 0 ? "idle" : "busy",
      ),
      element("span", { class: "quiet" }, `${host}, ${devices.join(", ")}${draining ? ", leaving" : ""}`),
      steps.map(({ run, step }) => element("span", { class: "task" }, `${run}: ${step}`)),
    ),
  );
}
