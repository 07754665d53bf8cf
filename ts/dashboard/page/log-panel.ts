/** What has happened, the latest at the end, which stays in sight unless the reader has scrolled away from it. */
import type { LogEntry } from "../view/run-view.js";
import { card } from "./card.js";
import { element } from "./dom.js";
import { clock } from "./time.js";

export interface LogPanel {
  readonly element: HTMLElement;
  set(entries: readonly LogEntry[]): void;
}

const MOST_SHOWN = 2000;

export function createLogPanel(): LogPanel {
  const list = element("ol", { class: "log", tabindex: 0, "aria-label": "Events of the run" });
  let shown = 0;
  return {
    element: card({ id: "log", title: "Events" }, list),
    set(entries) {
      if (entries.length < shown) {
        list.replaceChildren();
        shown = 0;
      }
      if (entries.length === shown) return;
      const isAtEnd = list.scrollTop + list.clientHeight > list.scrollHeight - 20;
      list.append(...entries.slice(Math.max(shown, entries.length - MOST_SHOWN)).map(line));
      while (list.childElementCount > MOST_SHOWN) list.firstElementChild?.remove();
      shown = entries.length;
      if (isAtEnd) list.scrollTop = list.scrollHeight;
    },
  };
}

function line({ at, level, text }: LogEntry): HTMLElement {
  return element("li", { class: level }, clock(at), element("span", {}, text));
}
