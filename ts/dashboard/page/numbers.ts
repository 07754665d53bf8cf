import { element } from "./dom.js";

/** A number with its name, of a `dl.numbers`. */
export function numberOf(name: string, value: string): HTMLElement {
  return element("div", {}, element("dt", {}, name), element("dd", {}, value));
}
