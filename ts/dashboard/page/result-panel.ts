/** What a run has come to so far: how good its detectors are, and its pseudo labels. */
import { formatAp } from "../../report/format.js";
import type { RunDetail } from "../wire/runs.js";
import { card } from "./card.js";
import { type Child, element } from "./dom.js";
import { numberOf } from "./numbers.js";
import { runPath } from "./shell.js";

export function resultPanel({ row, evaluations, labelings }: RunDetail): Child {
  if (evaluations.length === 0 && labelings.length === 0) return undefined;
  return element(
    "div",
    { class: "columns even" },
    evaluations.length > 0 &&
      card(
        { id: "result", title: "Average precision on the validation set" },
        evaluations.map(({ step, ap, ap50, ap75, class_agnostic_ap }) =>
          element(
            "div",
            { class: "arm" },
            element("h3", {}, step.replace(/\/?evaluate$/, "")),
            element(
              "dl",
              { class: "numbers" },
              numberOf("AP", formatAp(ap)),
              numberOf("AP50", formatAp(ap50)),
              numberOf("AP75", formatAp(ap75)),
              numberOf("class-agnostic", formatAp(class_agnostic_ap)),
            ),
          ),
        ),
      ),
    labelings.length > 0 &&
      card(
        { id: "labels", title: "Pseudo labels" },
        labelings.map(({ scope, selected, precision, recall }) =>
          element(
            "div",
            { class: "arm" },
            element(
              "h3",
              {},
              element("a", { href: `${runPath(row.id)}/labels?scope=${encodeURIComponent(scope)}` }, scope),
            ),
            element(
              "dl",
              { class: "numbers" },
              selected && numberOf("boxes", String(selected.pseudo_labels)),
              selected && numberOf("per image", (selected.pseudo_labels / Math.max(1, selected.images)).toFixed(1)),
              selected && numberOf("threshold", selected.score_threshold.toFixed(3)),
              precision !== undefined && numberOf("precision", formatAp(precision)),
              recall !== undefined && numberOf("recall", formatAp(recall)),
            ),
          ),
        ),
      ),
  );
}
