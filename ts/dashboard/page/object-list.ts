/** The boxes of an image that is reviewed, by name, and the classes that they may have. */
import { type EditedObject, fitsMask } from "../view/reviewed-objects.js";
import type { LabelSet } from "../wire/labels.js";
import { type Child, element } from "./dom.js";

export interface ObjectListOptions {
  readonly set: LabelSet;
  readonly selected: number;
  choose(at: number): void;
  remove(at: number): void;
}

export function objectItems(
  objects: readonly EditedObject[],
  { set, selected, choose, remove }: ObjectListOptions,
): HTMLElement[] {
  const nameOf = ({ category_id }: EditedObject): string =>
    set.categories.find(({ id }) => id === category_id)?.name ?? "no class";
  return objects.map((object, at) =>
    element(
      "li",
      {},
      element(
        "button",
        { "aria-pressed": at === selected ? "true" : "false", onclick: () => choose(at) },
        `${at + 1}: ${nameOf(object)}`,
        maskNote(object),
      ),
      element("button", { class: "plain", "aria-label": `Remove box ${at + 1}`, onclick: () => remove(at) }, "\u00d7"),
    ),
  );
}

function maskNote({ box_xywh, offered }: EditedObject): Child {
  if (offered === undefined) return undefined;
  return element("span", { class: "quiet" }, fitsMask(box_xywh, offered) ? "mask" : "mask dropped");
}

export function classButtons({ categories }: LabelSet, classify: (index: number) => void): HTMLElement {
  return element(
    "div",
    { class: "choice", role: "group", "aria-label": "Class of the chosen box" },
    categories.map(({ name }, index) =>
      element("button", { onclick: () => classify(index) }, index < 9 && element("kbd", {}, index + 1), name),
    ),
  );
}
