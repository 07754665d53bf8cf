/** A grid of thousands of cells of one size, of which only those in sight are there. */
import { element } from "./dom.js";

export interface Grid {
  readonly element: HTMLElement;
  /** Shows other items. */
  setItems(count: number): void;
  /** Has the cells in sight redrawn. */
  redraw(): void;
  focus(index: number): void;
}

export interface Cell {
  readonly element: HTMLElement;
  redraw(): void;
}

export interface GridOptions {
  readonly label: string;
  /** px, with the gap. Cells are about as wide, so that they fill the rows. */
  readonly cellWidth: number;
  readonly cellHeight: number;
  readonly draw: (index: number) => Cell;
  readonly onOpen: (index: number) => void;
}

const ROWS_BEYOND = 2;
const GAP_PX = 10;

/** Cells take the focus one at a time, moved by the arrow keys, Home and End. */
export function createGrid({ label, cellWidth, cellHeight, draw, onOpen }: GridOptions): Grid {
  const canvas = element("div", { class: "grid-canvas" });
  const scroller = element(
    "div",
    { class: "grid", role: "grid", "aria-label": label },
    element("div", { role: "row" }, canvas),
  );
  const cells = new Map<number, { readonly place: HTMLElement; readonly cell: Cell }>();
  let count = 0;
  let current = 0;

  const columns = (): number => Math.max(1, Math.round(canvas.clientWidth / cellWidth));
  const place = (): void => {
    const across = columns();
    canvas.style.height = `${Math.ceil(count / across) * cellHeight}px`;
    const top = Math.max(0, Math.floor(scroller.scrollTop / cellHeight) - ROWS_BEYOND);
    const bottom = Math.ceil((scroller.scrollTop + scroller.clientHeight) / cellHeight) + ROWS_BEYOND;
    const [first, end] = [top * across, Math.min(count, bottom * across)];
    for (const [index, { place }] of cells) {
      if (index >= first && index < end) continue;
      place.remove();
      cells.delete(index);
    }
    const width = canvas.clientWidth / across;
    for (let index = first; index < end; index++) {
      const { style } = (cells.get(index) ?? add(index)).place;
      style.width = `${width - GAP_PX}px`;
      style.height = `${cellHeight - GAP_PX}px`;
      style.transform = `translate(${(index % across) * width}px, ${Math.floor(index / across) * cellHeight}px)`;
    }
  };
  const add = (index: number) => {
    const cell = draw(index);
    const tabindex = index === current ? 0 : -1;
    const place = element(
      "div",
      { class: "cell", role: "gridcell", tabindex, onclick: () => open(index) },
      cell.element,
    );
    const added = { place, cell };
    canvas.append(place);
    cells.set(index, added);
    return added;
  };
  const open = (index: number): void => {
    current = index;
    onOpen(index);
  };
  const focus = (index: number): void => {
    current = Math.max(0, Math.min(count - 1, index));
    const row = Math.floor(current / columns());
    if (row * cellHeight < scroller.scrollTop) scroller.scrollTop = row * cellHeight;
    const below = (row + 1) * cellHeight - scroller.clientHeight;
    if (below > scroller.scrollTop) scroller.scrollTop = below;
    place();
    for (const [at, { place }] of cells) place.tabIndex = at === current ? 0 : -1;
    cells.get(current)?.place.focus({ preventScroll: true });
  };
  scroller.addEventListener("scroll", place, { passive: true });
  new ResizeObserver(place).observe(scroller);
  scroller.addEventListener("keydown", (event) => {
    const steps: Readonly<Record<string, number>> = {
      ArrowRight: 1,
      ArrowLeft: -1,
      ArrowDown: columns(),
      ArrowUp: -columns(),
      Home: -count,
      End: count,
    };
    const step = steps[event.key];
    if (event.key === "Enter") open(current);
    else if (step === undefined) return;
    else focus(current + step);
    event.preventDefault();
  });
  return {
    element: scroller,
    setItems(next) {
      count = next;
      current = 0;
      for (const { place } of cells.values()) place.remove();
      cells.clear();
      scroller.scrollTop = 0;
      place();
    },
    redraw() {
      for (const { cell } of cells.values()) cell.redraw();
    },
    focus,
  };
}
