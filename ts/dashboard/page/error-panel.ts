/** What kinds of errors cost how much: TIDE. */
import { formatAp } from "../../report/format.js";
import type { ErrorRow } from "../wire/evaluation.js";
import { shareBar } from "./bar.js";
import { card } from "./card.js";
import { element } from "./dom.js";
import { table } from "./table.js";

const MEANINGS: Readonly<Record<string, string>> = {
  classification: "on an object, of another class",
  localization: "on an object, at IoU 0.1 to 0.5",
  both: "beside an object of another class",
  duplicate: "of an object that is found already",
  background: "of nothing",
  missed: "objects that nothing stands for",
  "all false positives": "as if precision was perfect",
  "all false negatives": "as if recall was perfect",
};

export function errorPanel(errors: readonly ErrorRow[]): HTMLElement {
  const most = Math.max(...errors.map(({ apGained }) => apGained), Number.EPSILON);
  return card(
    { id: "errors", title: "Errors at IoU 0.5, and the AP50 that they cost (TIDE)" },
    table(
      "Errors by kind",
      [{ name: "error" }, { name: "count", kind: "number" }, { name: "AP50 gained if fixed" }],
      errors.map(({ name, count, apGained }) => [
        [name, element("p", { class: "quiet meaning" }, MEANINGS[name])],
        String(count),
        [shareBar(apGained / most), ` ${formatAp(apGained)}`],
      ]),
    ),
  );
}
