/** The steps of a run as a graph: a lane for what all arms share and one for each arm, from left to right. */
import { formatDuration } from "../../report/format.js";
import { lanesWith, type StepsConfig } from "../view/expected-steps.js";
import type { ProgressView, RunView, StepView } from "../view/run-view.js";
import { type Child, element } from "./dom.js";

export function stageGraph({ steps }: RunView, config: StepsConfig, hasEnded: boolean): Child {
  return element(
    "div",
    { class: "lanes" },
    lanesWith(config, steps.keys(), hasEnded)
      .filter((lane) => lane.steps.length > 0)
      .map(({ arm, steps: names }) =>
        element(
          "div",
          { class: "lane" },
          element("h3", {}, arm === "" ? "data" : arm),
          element(
            "ol",
            { class: "steps" },
            names.map((name) => stepItem(name, arm, steps.get(name))),
          ),
        ),
      ),
  );
}

function stepItem(name: string, arm: string, step: StepView | undefined): HTMLElement {
  const state = step?.state ?? "waiting";
  const shown = arm === "" ? name : name.slice(arm.length + 1);
  return element(
    "li",
    { class: `step ${state}` },
    element("span", { class: "name" }, element("i", { "aria-hidden": true }), shown),
    element("span", { class: "what" }, describe(step)),
    step?.state === "running" && step.progress !== undefined && bar(shown, step.progress),
  );
}

function describe(step: StepView | undefined): string {
  if (step === undefined) return "waits";
  const { state, seconds, progress } = step;
  if (state === "reused") return `reused, ${formatDuration(seconds ?? 0)}`;
  if (state === "finished") return formatDuration(seconds ?? 0);
  if (state === "stopped") return "stopped";
  return progress === undefined ? "at it" : describeProgress(step, progress);
}

function describeProgress({ startedAt }: StepView, { done, total }: ProgressView): string {
  const elapsed = (Date.now() - startedAt) / 1000;
  const left = done > 0 && done < total ? `, ${formatDuration((elapsed / done) * (total - done))} left` : "";
  return `${done} / ${total}${left}`;
}

function bar(name: string, { done, total }: ProgressView): HTMLElement {
  return element("progress", { max: Math.max(1, total), value: done, "aria-label": `Progress of ${name}` });
}
