import { type Child, element } from "./dom.js";

export interface CardHeading {
  /** Of the heading, which names the card to those who do not see it; once in a page. */
  readonly id: string;
  readonly title: string;
  /** At the other end of the line. */
  readonly beside?: Child;
}

/** A part of a page. */
export function card({ id, title, beside }: CardHeading, ...children: Child[]): HTMLElement {
  const name = element("h2", { id }, title);
  return element(
    "section",
    { class: "card", "aria-labelledby": id },
    beside === undefined ? name : element("div", { class: "heading small" }, name, beside),
    children,
  );
}
