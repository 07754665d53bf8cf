import { element } from "./dom.js";

/** @param label for those who do not see what stands beside it. */
export function select(
  label: string,
  options: readonly (readonly [value: string, text: string])[],
  chosen?: string,
): HTMLSelectElement {
  return element(
    "select",
    { "aria-label": label },
    options.map(([value, text]) => element("option", { value, selected: value === chosen }, text)),
  );
}

/** A control with its name before it. */
export function labelled(text: string, control: HTMLElement): HTMLElement {
  return element("span", { class: "labelled" }, element("span", { class: "quiet" }, text), control);
}

/** Options that are called what they are. */
export function named(names: Iterable<string>): (readonly [value: string, text: string])[] {
  return Array.from(names, (name) => [name, name] as const);
}
