/** What every page has: the bar at the top, a heading, and where to say that the controller is away. */
import type { Session } from "../wire/requests.js";
import { type ApiError, change } from "./api.js";
import { type Child, element, replace } from "./dom.js";

export interface Shell {
  readonly session: Session;
  readonly main: HTMLElement;
  /** Says that what is shown may be old. */
  setConnected(isConnected: boolean): void;
  /** Told to those who do not see the page, too. */
  announce(text: string): void;
}

export function openShell(session: Session): Shell {
  const main = element("main", { id: "main", tabindex: -1 });
  const offline = element("p", { class: "offline", role: "status", hidden: true });
  const spoken = element("p", { class: "unseen", "aria-live": "polite" });
  replace(
    document.body,
    element("a", { class: "skip", href: "#main" }, "Skip to content"),
    element(
      "header",
      { class: "bar" },
      element("a", { class: "brand", href: "/" }, mark(), "cassl"),
      element("nav", { "aria-label": "Main" }, navigation("/", "Runs"), navigation("/comparisons", "Comparisons")),
      element("span", { class: "version quiet" }, session.version),
      session.isSignedIn && element("button", { onclick: signOut }, "Sign out"),
    ),
    offline,
    main,
    spoken,
  );
  return {
    session,
    main,
    setConnected(isConnected) {
      offline.hidden = isConnected;
      replace(offline, isConnected ? "" : "The controller does not answer. The page goes on when it is back.");
    },
    announce: (text) => replace(spoken, text),
  };
}

function signOut(): void {
  void change("DELETE", "session").finally(() => location.assign("/"));
}

/** Sets what the page is called. @param trail links that lead here. */
export function heading(title: string, trail: readonly Child[] = [], ...actions: Child[]): HTMLElement {
  document.title = `${title} - cassl`;
  return element(
    "div",
    { class: "heading" },
    element("div", {}, trail.length > 0 && element("p", { class: "trail" }, trail), element("h1", {}, title)),
    element("div", { class: "actions" }, actions),
  );
}

/** Views of a run: what their addresses end with, and what they are called. */
export const VIEWS = { run: "Overview", data: "Data", labels: "Pseudo labels", evaluation: "Evaluation" } as const;
export type ViewName = keyof typeof VIEWS;

export function runTabs(runId: string, current: ViewName): HTMLElement {
  const path = runPath(runId);
  const tab = ([name, text]: readonly [string, string]): HTMLElement =>
    element(
      "a",
      { href: name === "run" ? path : `${path}/${name}`, "aria-current": name === current ? "page" : undefined },
      text,
    );
  return element("nav", { class: "tabs", "aria-label": "Views of the run" }, Object.entries(VIEWS).map(tab));
}

export function failureCard(
  { message, remedy = "" }: Pick<ApiError, "message" | "remedy">,
  level: "h1" | "h2",
): HTMLElement {
  return element("div", { class: "card empty", role: "alert" }, element(level, {}, message), element("p", {}, remedy));
}

export function runPath(runId: string): string {
  return `/runs/${encodeURIComponent(runId)}`;
}

function navigation(href: string, text: string): HTMLElement {
  return element("a", { href, "aria-current": location.pathname === href ? "page" : undefined }, text);
}

function mark(): HTMLElement {
  return element("img", { src: "/assets/icon.svg", alt: "", width: 22, height: 22 });
}
