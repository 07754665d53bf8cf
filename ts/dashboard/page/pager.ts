/** Leafs through a list that the server gives in parts. */
import { type Child, element, replace } from "./dom.js";

export interface Leaf {
  readonly content: Child;
  /** How many are in sight, of how many. */
  readonly shown: number;
  readonly total: number;
}

export interface Pager {
  readonly controls: HTMLElement;
  /** Where the leaf is. */
  readonly place: HTMLElement;
  show(offset: number): Promise<void>;
}

/** @param label what is leafed through. @param step how many come at once. @param load those from an offset on. */
export function createPager(label: string, step: number, load: (offset: number) => Promise<Leaf>): Pager {
  const place = element("div");
  const count = element("span", { class: "quiet", role: "status" });
  const back = element("button", { onclick: () => void show(at - step) }, "Previous");
  const forth = element("button", { onclick: () => void show(at + step) }, "Next");
  back.hidden = forth.hidden = true;
  let at = 0;
  let asked = 0;

  const show = async (offset: number): Promise<void> => {
    const ask = ++asked;
    try {
      const leaf = await load(Math.max(0, offset));
      // A later question may have been answered before this one.
      if (ask === asked) draw(Math.max(0, offset), leaf);
    } catch (error) {
      replace(count, (error as Error).message);
    }
  };
  const draw = (offset: number, { content, shown, total }: Leaf): void => {
    at = offset;
    replace(place, content);
    replace(count, total === 0 ? "none" : `${offset + 1} to ${offset + shown} of ${total}`);
    back.disabled = offset === 0;
    forth.disabled = offset + shown >= total;
    back.hidden = forth.hidden = shown === total;
  };
  return { controls: element("nav", { class: "pager", "aria-label": label }, count, back, forth), place, show };
}
