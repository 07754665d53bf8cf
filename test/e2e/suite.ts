/** What every suite of browser tests has: a lab, and a browser whose pages must not complain. */
import assert from "node:assert/strict";
import type { BrowserContextOptions, Page } from "playwright-core";
import { openBrowser, type TestBrowser } from "./browser.js";
import { type Lab, openLab } from "./lab.js";

export interface Suite {
  /** There from the first test on. */
  readonly lab: Lab;
  /** A page of the lab's dashboard that does not know the others. @param path as `/runs/first`. */
  open(path: string, options?: BrowserContextOptions): Promise<Page>;
  readonly browser: TestBrowser;
}

/**
 * To be called in `describe`. Without a browser its tests are skipped.
 * @param prepare what the lab has done before the first test.
 */
export function browserSuite(prepare: (lab: Lab) => Promise<void>): Suite {
  let lab: Lab | undefined;
  let browser: TestBrowser | undefined;
  before(async function () {
    // Its runs are real ones; machines that do much else take long for them.
    this.timeout(600_000);
    browser = await openBrowser();
    if (browser === undefined) return this.skip();
    lab = await openLab();
    await prepare(lab);
  });
  after(async () => {
    await browser?.close();
    await lab?.remove();
  });
  afterEach(() => assert.deepEqual(browser?.complaints, []));
  return {
    get lab() {
      return lab as Lab;
    },
    get browser() {
      return browser as TestBrowser;
    },
    open: (path, options) => (browser as TestBrowser).open((lab as Lab).dashboard.url + path, options),
  };
}
