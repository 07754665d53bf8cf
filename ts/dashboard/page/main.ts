/** Shows the page that the address asks for. */
import type { Session } from "../wire.js";
import { type ApiError, get } from "./api.js";
import { element, replace } from "./dom.js";
import { showLabels } from "./labels-page.js";
import { showRun } from "./run-page.js";
import { showRuns } from "./runs-page.js";
import { openShell, type Shell } from "./shell.js";
import { showSignIn } from "./sign-in.js";

type Page = (shell: Shell, runId: string) => void | Promise<void>;

const PAGES: readonly (readonly [pattern: RegExp, page: Page])[] = [
  [/^\/$/, showRuns],
  [/^\/runs\/([^/]+)$/, showRun],
  [/^\/runs\/([^/]+)\/labels$/, showLabels],
];

function show(shell: Shell): void | Promise<void> {
  if (shell.session.signInNeeded) return showSignIn(shell.main);
  for (const [pattern, page] of PAGES) {
    const [found, runId = ""] = pattern.exec(location.pathname) ?? [];
    if (found !== undefined) return page(shell, decodeURIComponent(runId));
  }
}

function showFailure(main: HTMLElement, { message, remedy = "" }: ApiError): void {
  replace(
    main,
    element("div", { class: "card empty", role: "alert" }, element("h1", {}, message), element("p", {}, remedy)),
  );
}

async function start(): Promise<void> {
  try {
    const shell = openShell(await get<Session>("session"));
    await Promise.resolve(show(shell)).catch((error: ApiError) => showFailure(shell.main, error));
  } catch (error) {
    const shell = openShell({ version: "", signInNeeded: false, isSignedIn: false, mayChange: false });
    showFailure(shell.main, error as ApiError);
  }
}

void start();
