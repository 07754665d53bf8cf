/** Shows the page that the address asks for. */
import type { Session } from "../wire/requests.js";
import { type ApiError, get } from "./api.js";
import { showComparison } from "./compare-page.js";
import { showConcluded, showConcludedList } from "./comparisons-page.js";
import { showData } from "./data-page.js";
import { replace } from "./dom.js";
import { showEvaluation } from "./evaluation-page.js";
import { showLabels } from "./labels-page.js";
import { showRun } from "./run-page.js";
import { showRuns } from "./runs-page.js";
import { failureCard, openShell, type Shell } from "./shell.js";
import { showSignIn } from "./sign-in.js";

/** @param id what the address names, if it names something. */
type Page = (shell: Shell, id: string) => void | Promise<void>;

const PAGES: readonly (readonly [pattern: RegExp, page: Page])[] = [
  [/^\/$/, showRuns],
  [/^\/compare$/, showComparison],
  [/^\/comparisons$/, showConcludedList],
  [/^\/comparisons\/([^/]+)$/, showConcluded],
  [/^\/runs\/([^/]+)$/, showRun],
  [/^\/runs\/([^/]+)\/data$/, showData],
  [/^\/runs\/([^/]+)\/labels$/, showLabels],
  [/^\/runs\/([^/]+)\/evaluation$/, showEvaluation],
];

function show(shell: Shell): void | Promise<void> {
  if (shell.session.signInNeeded) return showSignIn(shell.main);
  for (const [pattern, page] of PAGES) {
    const [found, id = ""] = pattern.exec(location.pathname) ?? [];
    if (found !== undefined) return page(shell, decodeURIComponent(id));
  }
}

async function start(): Promise<void> {
  try {
    const shell = openShell(await get<Session>("session"));
    await Promise.resolve(show(shell)).catch((error: ApiError) => replace(shell.main, failureCard(error, "h1")));
  } catch (error) {
    const shell = openShell({ version: "", signInNeeded: false, isSignedIn: false, mayChange: false });
    replace(shell.main, failureCard(error as ApiError, "h1"));
  }
}

void start();
