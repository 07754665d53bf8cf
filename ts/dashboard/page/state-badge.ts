import type { RunState } from "../../core/run-state.js";
import { element } from "./dom.js";

/** The state in words and colour. */
export function stateBadge(state: RunState): HTMLElement {
  return element("span", { class: `badge ${state}` }, state);
}
