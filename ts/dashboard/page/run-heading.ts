/** The top of a run's page: what run it is, how it stands, what may be done with it, and why it failed. */
import type { GateChecked } from "../../gen/cassl/v1/run.js";
import { formatDuration } from "../../report/format.js";
import { isUnfinished, type RunDetail, type RunRow } from "../wire/runs.js";
import { type Child, element } from "./dom.js";
import { actionButtons } from "./run-actions.js";
import { heading, type Shell } from "./shell.js";
import { stateBadge } from "./state-badge.js";
import { moment } from "./time.js";

export function runHeading(
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

export function failure({ error, state }: RunRow): Child {
  if (error === undefined || isUnfinished(state)) return undefined;
  return element(
    "div",
    { class: `notice ${state === "cancelled" ? "" : "bad"}` },
    element("strong", {}, error.reason),
    element("p", {}, error.message),
    element("p", { class: "quiet" }, error.remedy),
  );
}
