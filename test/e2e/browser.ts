/** A real browser for the tests of the dashboard, and what its pages complain about. */
import { existsSync } from "node:fs";
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";

const PLACES = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
const FLAGS = ["no-sandbox", "disable-gpu", "disable-quic", "no-first-run", "disable-background-networking"];

export interface TestBrowser {
  /** A page that does not know the others. */
  open(url: string, options?: BrowserContextOptions): Promise<Page>;
  /** Errors in the console, uncaught exceptions and violations of the content security policy of all pages so far. */
  readonly complaints: string[];
  close(): Promise<void>;
}

/** Undefined where there is none, which is an error where one is demanded. */
export async function openBrowser(): Promise<TestBrowser | undefined> {
  const executablePath = [process.env["CASSL_CHROMIUM"] ?? "", ...PLACES].find((path) => existsSync(path));
  if (executablePath === undefined) {
    if (process.env["CASSL_REQUIRE_BROWSER"]) throw new Error("There is no Chromium; CASSL_CHROMIUM names one.");
    console.log("skipped: browser tests need Chromium; `apt-get install chromium`, or name one in CASSL_CHROMIUM");
    return undefined;
  }
  const browser = await chromium.launch({ executablePath, args: FLAGS.map((flag) => `--${flag}`) });
  const complaints: string[] = [];
  return {
    open: (url, options) => openPage(browser, url, options, complaints),
    complaints,
    close: () => browser.close(),
  };
}

async function openPage(
  browser: Browser,
  url: string,
  options: BrowserContextOptions | undefined,
  complaints: string[],
): Promise<Page> {
  const page = await browser.newPage(options);
  page.setDefaultTimeout(120_000);
  page.on("console", (message) => {
    // Violations of the content security policy are errors of the console.
    if (message.type() === "error") complaints.push(message.text());
  });
  page.on("pageerror", ({ message }) => complaints.push(message));
  page.on("dialog", (dialog) => {
    complaints.push(`a dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  await page.goto(url);
  return page;
}
