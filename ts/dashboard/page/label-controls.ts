/** Which images are shown in which order, and whether with their ground truth. */
import { FILTERS, type Filter, SORTS, type Sort } from "../view/label-order.js";
import { labelled, named, select } from "./choice.js";
import { element, replace } from "./dom.js";
import { legend } from "./evaluated-tiles.js";
import type { LoadedLabels } from "./loaded-labels.js";

export interface LabelControls {
  readonly element: HTMLElement;
  sort(): Sort;
  filter(): Filter;
  showsTruth(): boolean;
  showCount(images: number): void;
}

export interface ControlOptions {
  /** At the end of the line. */
  readonly beside: HTMLElement;
  /** Other images, or another order. */
  readonly onArrange: () => void;
  readonly onTruth: () => void;
}

export function createLabelControls(
  { set: { total }, hasTruth }: LoadedLabels,
  { beside, onArrange, onTruth }: ControlOptions,
): LabelControls {
  const sort = select("Sort by", named(SORTS.filter((name) => name !== "disagreement" || hasTruth)));
  const filter = select("Show", named(FILTERS.filter((name) => name !== "with errors" || hasTruth)));
  const truth = element("input", { type: "checkbox", id: "truth", checked: hasTruth, disabled: !hasTruth });
  const count = element("span", { class: "quiet", role: "status" });
  for (const choice of [sort, filter]) choice.addEventListener("change", onArrange);
  truth.addEventListener("change", onTruth);
  const controls = [
    ...[labelled("Sort by", sort), labelled("Show", filter)],
    element("label", { class: "check", for: "truth" }, truth, "Ground truth"),
    hasTruth && legend(),
  ];
  return {
    element: element("div", { class: "filters" }, controls, count, beside),
    sort: () => sort.value as Sort,
    filter: () => filter.value as Filter,
    showsTruth: () => truth.checked,
    showCount: (images) => replace(count, images === total ? `${total} images` : `${images} of ${total} images`),
  };
}
