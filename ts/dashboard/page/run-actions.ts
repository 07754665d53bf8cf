/** The buttons that change a run, each of which asks first. */
import type { GateChecked } from "../../gen/cassl/v1/run.js";
import { isUnfinished, type RunRow } from "../wire/runs.js";
import { change } from "./api.js";
import { ask } from "./dialog.js";
import { type Child, element } from "./dom.js";

/** @param gates of the run, when they are asked for. */
export function actionButtons({ id, state, error }: RunRow, gates: () => readonly GateChecked[]): Child {
  const act = (name: string, body?: unknown) => change("POST", `runs/${encodeURIComponent(id)}/${name}`, body);
  const cancel = (): void =>
    ask({
      title: `Cancel ${id}?`,
      text: "The worker stops at once. Finished steps and checkpoints stay, so that the run can go on later.",
      action: "Cancel the run",
      isDangerous: true,
      act: () => act("cancel"),
    });
  const retry = (): void =>
    ask({
      title: `Go on with ${id}?`,
      text: "Finished steps are not done again; training goes on from its last checkpoint.",
      action: "Go on",
      act: () => act("retry"),
    });
  const override = (): void => {
    const failed = [
      ...new Map(
        gates()
          .filter(hasFailed)
          .map((gate) => [gate.name, gate]),
      ).values(),
    ];
    ask({
      title: "Go on without the failed gates?",
      text: [
        element("p", {}, "The run is continued as if these had been passed, and its report says so:"),
        element(
          "ul",
          {},
          failed.map(({ name, reason }) => element("li", {}, element("strong", {}, name), ": ", reason)),
        ),
      ],
      action: failed.length === 1 ? "Override the gate" : `Override ${failed.length} gates`,
      isDangerous: true,
      act: () => act("override-gates", { gates: failed.map(({ name }) => name) }),
    });
  };
  if (isUnfinished(state)) return element("button", { class: "danger-quiet", onclick: cancel }, "Cancel");
  if (state === "succeeded") return undefined;
  return [
    error?.reason === "GATE_FAILED" && element("button", { onclick: override }, "Override gate"),
    element("button", { class: "primary", onclick: retry }, "Retry"),
  ];
}

function hasFailed({ passed, overridden }: GateChecked): boolean {
  return !passed && !overridden;
}
