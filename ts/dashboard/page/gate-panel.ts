/** The gates with their number and their limit. */
import type { GateChecked } from "../../gen/cassl/v1/run.js";
import { formatNumber } from "../../report/format.js";
import { card } from "./card.js";
import { type Child, element } from "./dom.js";

export function gatePanel(gates: readonly GateChecked[]): Child {
  if (gates.length === 0) return undefined;
  return card(
    { id: "gates", title: "Gates" },
    element(
      "div",
      { class: "scroll", tabindex: 0, role: "region", "aria-label": "Values and limits of the gates" },
      element(
        "table",
        {},
        element(
          "thead",
          {},
          element(
            "tr",
            {},
            ["Gate", "Of", "Value", "Limit", "Verdict", "What was measured"].map((name) =>
              element("th", { scope: "col" }, name),
            ),
          ),
        ),
        element("tbody", {}, gates.map(gateRow)),
      ),
    ),
  );
}

function gateRow(gate: GateChecked): HTMLElement {
  const { name, scope, value, limit, reason, remedy, passed } = gate;
  return element(
    "tr",
    {},
    element("th", { scope: "row" }, name),
    element("td", { class: "quiet" }, scope),
    element("td", { class: "number" }, formatNumber(value)),
    element("td", { class: "number quiet" }, `${name.startsWith("min_") ? "\u2265" : "\u2264"} ${formatNumber(limit)}`),
    element("td", {}, verdict(gate)),
    element("td", { class: "text" }, reason, !passed && element("p", { class: "quiet" }, remedy)),
  );
}

function verdict({ passed, overridden }: GateChecked): HTMLElement {
  if (passed) return element("span", { class: "badge succeeded" }, "passed");
  return overridden
    ? element("span", { class: "badge pending" }, "overridden")
    : element("span", { class: "badge failed" }, "failed");
}
