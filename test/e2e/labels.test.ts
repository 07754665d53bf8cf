/** The browser of pseudo labels, in a browser. */
import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import { accessibilityFaults } from "./accessibility.js";
import { openBrowser, type TestBrowser } from "./browser.js";
import { type Lab, openLab } from "./lab.js";
import { storeManyImages } from "./many-images.js";

const MANY = 5000;

describe("dashboard, pseudo labels", function () {
  this.timeout(120_000);
  let lab: Lab;
  let browser: TestBrowser;

  before(async function () {
    const found = await openBrowser();
    if (found === undefined) return this.skip();
    browser = found;
    lab = await openLab();
    lab.work();
    await lab.finish("first");
    await storeManyImages(lab, "many", MANY);
  });
  after(async () => {
    await browser?.close();
    await lab?.remove();
  });
  afterEach(() => assert.deepEqual(browser.complaints, []));

  const open = async (path: string): Promise<Page> => {
    const page = await browser.open(lab.dashboard.url + path);
    await page.getByRole("grid", { name: "Images" }).waitFor();
    await page.getByRole("gridcell").first().waitFor();
    return page;
  };
  const number = async (page: Page, name: string): Promise<string> =>
    page
      .locator("dl.numbers div", { has: page.getByText(name, { exact: true }) })
      .locator("dd")
      .innerText();

  it("selects anew while the slider moves, as the run would have", async () => {
    const page = await open("/runs/first/labels");
    assert.equal(await page.getByRole("gridcell").count(), 3);
    const selected: Record<string, string> = {};
    for (const threshold of [0, 0.4, 1]) {
      await page.getByRole("slider").fill(String(threshold));
      selected[threshold] = await number(page, "boxes");
      const drawn = await page.locator(".tile .plain").count();
      assert.equal(String(drawn), selected[threshold]);
    }
    // The run took them from 0.4 on.
    let boxes = 0;
    for await (const { labels } of lab.client.streamPseudoLabels("first", "class_agnostic")) boxes += labels.length;
    assert.equal(selected[0.4], String(boxes));
    assert.equal(selected[1], "0");
    assert.equal(await number(page, "images without"), "3");
    await page.close();
  });

  it("keeps what is accepted, corrected and rejected with keys alone, and gives it to the next round", async () => {
    const page = await open("/runs/first/labels");
    await page.getByRole("slider").fill("0");
    await page.getByRole("gridcell").first().focus();
    await page.keyboard.press("Enter");
    const dialog = page.getByRole("dialog");
    await dialog.getByText(/^1 of 3, \d+ boxes, not reviewed$/).waitFor();
    for (const key of ["2", "]", "1", "a"]) await page.keyboard.press(key);
    await dialog.getByText(/^2 of 3/).waitFor();
    await page.keyboard.press("r");
    await dialog.getByText(/^3 of 3/).waitFor();
    await page.keyboard.press("Escape");
    await page.getByText("2 reviewed.").waitFor();
    await page.reload();
    await page.getByText("2 reviewed.").waitFor();
    await page.getByLabel("Show").selectOption("accepted");
    assert.equal(await page.getByRole("gridcell").count(), 1);

    const { images, annotations } = await (
      await page.request.get(`${lab.dashboard.url}/api/runs/first/reviewed.json`)
    ).json();
    assert.deepEqual([images.length, images[0].width], [1, 64]);
    // All boxes were given the second class, and the first one, which was chosen then, the first class.
    const categories = annotations.map((object: { category_id: number }) => object.category_id);
    assert.deepEqual(categories, [3, ...annotations.slice(1).map(() => 7)]);
    await page.close();
  });

  it("adds a box that is drawn, and takes it away again", async () => {
    const page = await open("/runs/first/labels");
    await page.getByRole("gridcell").nth(2).click();
    const dialog = page.getByRole("dialog");
    const count = async (): Promise<number> => dialog.locator(".objects li").count();
    const before = await count();
    const { x, y, width, height } = (await dialog.locator(".picture").boundingBox())!;
    await page.mouse.move(x + width * 0.4, y + height * 0.4);
    await page.mouse.down();
    await page.mouse.move(x + width * 0.6, y + height * 0.6);
    await page.mouse.up();
    assert.equal(await count(), before + 1);
    await page.keyboard.press("x");
    assert.equal(await count(), before);
    await page.close();
  });

  it(`scrolls through ${MANY} images, of which it holds those in sight`, async () => {
    const page = await open("/runs/many/labels");
    await page.getByText(`${MANY} images`).waitFor();
    for (const share of [0.25, 0.5, 0.75, 1]) {
      await page.evaluate(
        `(() => { const grid = document.querySelector("[role=grid]"); grid.scrollTo(0, ${share} * grid.scrollHeight); })()`,
      );
      assert.ok((await page.getByRole("gridcell").count()) < 120);
    }
    await page.getByRole("gridcell").last().focus();
    await page.keyboard.press("End");
    await page.getByLabel("Sort by").selectOption("uncertainty");
    await page.getByRole("slider").fill("0.5");
    assert.equal(await number(page, "boxes"), String(MANY * 4));
    await page.close();
  });

  it("can be used without eyes or mouse as far as a program can tell", async () => {
    const page = await open("/runs/first/labels");
    assert.deepEqual(await accessibilityFaults(page), []);
    await page.close();
  });
});
