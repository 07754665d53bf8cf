import { element } from "./dom.js";

const TODAY = new Intl.DateTimeFormat(undefined, { timeStyle: "short" });
const OTHER_DAY = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
const CLOCK = new Intl.DateTimeFormat(undefined, { timeStyle: "medium" });

/** A point in time as the reader's clock and calendar have it. @param at ms since 1970. */
export function moment(at: number): HTMLElement {
  const time = new Date(at);
  const isToday = time.toDateString() === new Date().toDateString();
  return element("time", { datetime: time.toISOString() }, (isToday ? TODAY : OTHER_DAY).format(time));
}

export function clock(at: number): HTMLElement {
  const time = new Date(at);
  return element("time", { datetime: time.toISOString() }, CLOCK.format(time));
}
