/** In what the configurations of several runs differ. */
import { settingsOf } from "../view/config-differences.js";
import type { RunComparison } from "../wire/comparison.js";
import { card } from "./card.js";
import { element, replace } from "./dom.js";

export function settingCard({ runs }: RunComparison): HTMLElement {
  const settings = settingsOf(runs.map(({ config }) => config));
  const all = element("input", { type: "checkbox", id: "all-settings" });
  const head = ["Field", ...runs.map(({ id }) => id)].map((name) => element("th", { scope: "col" }, name));
  const rows = element("tbody");
  const table = element(
    "div",
    { class: "scroll", tabindex: 0, role: "region", "aria-label": "Fields of the configuration" },
    element("table", { class: "settings" }, element("thead", {}, element("tr", {}, head)), rows),
  );
  const note = element("p", { class: "quiet", role: "status" });
  const count = settings.filter(({ differs }) => differs).length;
  const draw = (): void => {
    const shown = settings.filter(({ differs }) => differs || all.checked);
    replace(
      rows,
      shown.map(({ path, values, differs }) =>
        element(
          "tr",
          { class: differs && all.checked ? "differs" : undefined },
          element("th", { scope: "row" }, path),
          values.map((value) => element("td", { class: "text" }, value)),
        ),
      ),
    );
    table.hidden = shown.length === 0;
    replace(note, `${count} of ${settings.length} fields differ.`);
  };
  all.addEventListener("change", draw);
  draw();
  return card(
    {
      id: "settings",
      title: "Configuration",
      beside: element("label", { class: "check", for: "all-settings" }, all, "All fields"),
    },
    table,
    note,
  );
}
