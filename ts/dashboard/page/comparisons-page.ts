/** What `cassl compare` has concluded: all comparisons of the workspace, and one of them. */
import { type ConcludedComparison, type ConcludedRow, MOST_COMPARED } from "../wire/comparison.js";
import { get } from "./api.js";
import { card } from "./card.js";
import { comparisonPath } from "./comparison-path.js";
import { type Child, element, replace } from "./dom.js";
import { heading, runPath, type Shell } from "./shell.js";
import { table, textTable } from "./table.js";
import { moment } from "./time.js";

export async function showConcludedList({ main }: Shell): Promise<void> {
  const rows = await get<ConcludedRow[]>("comparisons");
  replace(
    main,
    heading("Comparisons"),
    element("div", { class: "card" }, rows.length === 0 ? hint() : table("Comparisons", COLUMNS, rows.map(cells))),
  );
}

const COLUMNS = [
  { name: "comparison" },
  { name: "finished" },
  { name: "runs", kind: "number" },
  { name: "verdict", kind: "text" },
] as const;

function hint(): HTMLElement {
  return element(
    "p",
    { class: "empty" },
    "No comparison yet. ",
    element("code", {}, "npx cassl compare cassl.yaml"),
    " finds out whether an arm helps, and leaves its answer here.",
  );
}

function cells({ id, finished, runs, verdicts, fault }: ConcludedRow): Child[] {
  if (fault !== undefined) return [id, "", "", element("span", { class: "fault" }, fault)];
  return [
    element("a", { href: `/comparisons/${encodeURIComponent(id)}` }, id),
    element("span", { class: "quiet" }, moment(finished)),
    String(runs),
    lines(verdicts),
  ];
}

export async function showConcluded({ main }: Shell, id: string): Promise<void> {
  const path = `comparisons/${encodeURIComponent(id)}`;
  const comparison = await get<ConcludedComparison>(path);
  const { runs, verdicts, notes, method, groups, command, finished } = comparison;
  replace(
    main,
    heading(
      id,
      [element("a", { href: "/comparisons" }, "Comparisons")],
      element("a", { class: "button", href: `/api/${path}/report`, target: "_blank" }, "Report"),
      runs.length >= 2 &&
        runs.length <= MOST_COMPARED &&
        element("a", { class: "button", href: comparisonPath(runs) }, "Runs side by side"),
    ),
    element("p", { class: "facts" }, element("span", {}, "finished ", moment(finished)), element("code", {}, command)),
    card(
      { id: "verdict", title: "Does it help?" },
      verdicts.length === 0 && element("p", {}, "No two arms are left to compare."),
      verdicts.map((text) => element("p", { class: "claim" }, text)),
      lines(notes),
      element("p", { class: "quiet" }, method),
    ),
    groups.map(({ title, arms, differences }, index) =>
      card(
        { id: `group-${index}`, title },
        textTable(`AP of each arm: ${title}`, arms),
        element("p", { class: "quiet" }, "Mean over seeds, plus or minus the standard deviation; AP times 100."),
        textTable(`Paired differences of AP: ${title}`, differences, 2),
      ),
    ),
    card(
      { id: "runs", title: "Runs" },
      element(
        "ul",
        { class: "plain-list" },
        runs.map((run) => element("li", {}, element("a", { href: runPath(run) }, run))),
      ),
    ),
  );
}

function lines(texts: readonly string[]): Child {
  return texts.map((text) => element("p", {}, text));
}
