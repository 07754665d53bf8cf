import type { TextTable } from "../wire/requests.js";
import { type Child, element } from "./dom.js";

export interface Column {
  /** Empty where the cells speak for themselves. */
  readonly name: string;
  /** `number`: aligned to the right. `text`: broken into lines. */
  readonly kind?: "number" | "text";
}

/** Rows with a heading each, their first cell; wider ones than the page can be scrolled. @param label what is in it. */
export function table(label: string, columns: readonly Column[], rows: readonly (readonly Child[])[]): HTMLElement {
  return element(
    "div",
    { class: "scroll", tabindex: 0, role: "region", "aria-label": label },
    element(
      "table",
      {},
      element(
        "thead",
        {},
        element(
          "tr",
          {},
          columns.map(({ name, kind }) =>
            name === "" ? element("td") : element("th", { scope: "col", class: kind }, name),
          ),
        ),
      ),
      element(
        "tbody",
        {},
        rows.map((cells) => row(cells, columns)),
      ),
    ),
  );
}

/** What the report shows as well. @param words the first columns so many are no numbers. */
export function textTable(label: string, { header, rows }: TextTable, words = 1): HTMLElement {
  const columns = header.map((name, index): Column => (index < words ? { name } : { name, kind: "number" }));
  return table(label, columns, rows);
}

function row([heading, ...others]: readonly Child[], [first, ...columns]: readonly Column[]): HTMLElement {
  return element(
    "tr",
    {},
    element("th", { scope: "row", class: first?.kind }, heading),
    others.map((cell, index) => element("td", { class: columns[index]?.kind }, cell)),
  );
}
