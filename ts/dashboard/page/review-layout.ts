import type { LabelSet, ReviewedImage } from "../wire/labels.js";
import { element } from "./dom.js";
import { classButtons } from "./object-list.js";

export interface ReviewParts {
  readonly title: HTMLElement;
  readonly stage: HTMLElement;
  readonly state: HTMLElement;
  readonly list: HTMLElement;
  readonly fault: HTMLElement;
}

export interface ReviewActions {
  close(): void;
  go(step: number): void;
  classify(category: number): void;
  save(verdict: ReviewedImage["verdict"]): void;
  undo(): void;
}

const HELP =
  "Arrow keys: next and previous image. [ and ]: choose a box. E: its handles, which arrow keys move (with Shift: by 10 px). X: remove it. 1 to 9: its class. A: accept. R: reject. U: undo the review. Drag: a new box.";

/** The dialog of a review, with buttons. @param set whose images may be changed; undefined: none may. */
export function reviewLayout(
  { title, stage, state, list, fault }: ReviewParts,
  set: LabelSet | undefined,
  { close, go, classify, save, undo }: ReviewActions,
): HTMLDialogElement {
  const changes =
    set &&
    element(
      "div",
      { class: "actions" },
      element("button", { class: "primary", onclick: () => save("accepted") }, "Accept"),
      element("button", { onclick: () => save("rejected") }, "Reject"),
      element("button", { class: "plain", onclick: undo }, "Undo"),
    );
  const moves = element(
    "div",
    { class: "actions" },
    element("button", { onclick: () => go(-1) }, "Previous"),
    element("button", { onclick: () => go(1) }, "Next"),
  );
  const help = element("p", { class: "quiet help" }, set ? HELP : "Arrow keys: next and previous image.");
  const side = element(
    "div",
    { class: "side" },
    state,
    set && classButtons(set, classify),
    list,
    fault,
    changes,
    moves,
    help,
  );
  return element(
    "dialog",
    { class: "review", "aria-labelledby": "review-title" },
    element("div", { class: "heading small" }, title, element("button", { onclick: close }, "Close")),
    element("div", { class: "review-body" }, stage, side),
  );
}
