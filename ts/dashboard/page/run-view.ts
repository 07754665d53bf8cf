/** A view of a run beside its overview: what a step has left, shown as soon as it is there, and anew when it is another. */
import type { RunDetail } from "../wire/runs.js";
import { type ApiError, get } from "./api.js";
import { type Child, element, replace } from "./dom.js";
import { followSteps } from "./follow-run.js";
import { failureCard, heading, runPath, runTabs, type Shell, VIEWS, type ViewName } from "./shell.js";

/** Drawn anew only when its version differs, so that nobody loses a place in what has stayed the same. */
export interface Part {
  readonly version: string;
  draw(): Child;
}

export interface LoadedView {
  readonly parts: readonly Part[];
  /** At the end of the line of the heading. */
  readonly choices?: Part;
}

export interface RunView {
  readonly name: ViewName;
  /** Whether the run has come to what is shown. */
  isThere(detail: RunDetail): boolean;
  /** What is said until then. */
  readonly waiting: Pick<ApiError, "message" | "remedy">;
  load(detail: RunDetail): Promise<LoadedView>;
}

/** What there is instead of the view is said below the way to the others. */
export function showView({ main, setConnected }: Shell, runId: string, view: RunView): void {
  const trail = [element("a", { href: "/" }, "Runs"), element("a", { href: runPath(runId) }, runId)];
  const choices = createPlace("span");
  const content = element("div", {}, element("p", { role: "status" }, "Loading ..."));
  let places: Place[] = [];
  replace(main, heading(VIEWS[view.name], trail, choices.element), runTabs(runId, view.name), content);

  const update = async (): Promise<void> => {
    try {
      const detail = await get<RunDetail>(`runs/${encodeURIComponent(runId)}`);
      const loaded = view.isThere(detail) ? await view.load(detail) : { parts: [waitingPart(view)] };
      if (places.length !== loaded.parts.length) {
        places = loaded.parts.map(() => createPlace("div"));
        replace(
          content,
          places.map((place) => place.element),
        );
      }
      for (const [index, part] of loaded.parts.entries()) places[index]?.show(part);
      if (loaded.choices !== undefined) choices.show(loaded.choices);
    } catch (error) {
      // What is there stays there: the controller may only be away.
      if (places.length === 0) replace(content, failureCard(error as ApiError, "h2"));
    }
  };
  followSteps(runId, update, setConnected);
}

/** The way to what came while the page was open. */
export function offer(name: string, href: string): HTMLElement {
  return element("span", { role: "status" }, element("a", { class: "button", href }, `New: ${name}`));
}

interface Place {
  readonly element: HTMLElement;
  show(part: Part): void;
}

function createPlace(tag: "div" | "span"): Place {
  const place = element(tag);
  let shown: string | undefined;
  return {
    element: place,
    show({ version, draw }) {
      if (version === shown) return;
      shown = version;
      replace(place, draw());
    },
  };
}

function waitingPart({ waiting: { message, remedy } }: RunView): Part {
  return { version: "waiting", draw: () => failureCard({ message, remedy }, "h2") };
}
