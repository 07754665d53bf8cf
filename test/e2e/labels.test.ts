/** The browser of pseudo labels, in a browser. */
import assert from "node:assert/strict";
import type { Page, Route } from "playwright-core";
import type { Lease } from "../../ts/gen/cassl/v1/worker_service.js";
import { workOn } from "../ts/controller/cells-project.js";
import { accessibilityFaults } from "./accessibility.js";
import { maskedBoxes, storeManyImages } from "./many-images.js";
import { browserSuite } from "./suite.js";

const MANY = 5000;

describe("dashboard, pseudo labels", function () {
  this.timeout(240_000);
  /** What the worker waits for before it does a task. */
  let hold: (lease: Lease) => unknown = () => {};
  const suite = browserSuite(async (lab) => {
    void workOn(lab.controller.address, (lease) => hold(lease));
    await lab.finish("first");
    await storeManyImages(lab, "many", MANY);
    await storeManyImages(lab, "masked", 2, maskedBoxes);
  });

  const open = async (path: string): Promise<Page> => {
    const page = await suite.open(path);
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
    for await (const { labels } of suite.lab.client.streamPseudoLabels("first", "class_agnostic"))
      boxes += labels.length;
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
      await page.request.get(`${suite.lab.dashboard.url}/api/runs/first/reviewed.json`)
    ).json();
    assert.deepEqual([images.length, images[0].width], [1, 64]);
    // All boxes were given the second class, and the first one, which was chosen then, the first class.
    const categories = annotations.map((object: { category_id: number }) => object.category_id);
    assert.deepEqual(categories, [3, ...annotations.slice(1).map(() => 7)]);
    await page.close();
  });

  it("goes on by one image however often it is accepted before that is saved", async () => {
    const page = await open("/runs/many/labels");
    await page.getByRole("gridcell").first().press("Enter");
    const state = page.getByRole("dialog").getByRole("status");
    await state.getByText(/^1 of/).waitFor();
    const both = gate();
    const held: Route[] = [];
    await page.route("**/review", (route) => {
      if (held.push(route) === 2) both.open();
    });
    for (const key of ["a", "a"]) await page.keyboard.press(key);
    await both.opened;
    for (const route of held) await route.continue();
    await state.getByText(/^2 of/).waitFor();
    await page.waitForLoadState("networkidle");
    assert.match(await state.innerText(), /^2 of/);
    await page.keyboard.press("ArrowLeft");
    await page.keyboard.press("u");
    await state.getByText(/^1 of .*not reviewed/).waitFor();
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

  it("corrects a box by its handles, with the mouse and with keys", async () => {
    const page = await open("/runs/masked/labels");
    await page.getByRole("gridcell").nth(1).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByText("mask", { exact: true }).first().waitFor();
    for (const key of ["]", "]"]) await page.keyboard.press(key);
    const { x, y, width, height } = (await dialog.locator(".handle.se").boundingBox())!;
    // The image of 64 px is shown larger: 4 px to the right and 3 down.
    const scale = await page.evaluate("document.querySelector('.stage image').getScreenCTM().a");
    await page.mouse.move(x + width / 2, y + height / 2);
    await page.mouse.down();
    await page.mouse.move(x + width / 2 + 4 * Number(scale), y + height / 2 + 3 * Number(scale), { steps: 3 });
    await page.mouse.up();
    await page.keyboard.press("e");
    await page.keyboard.press("ArrowRight");
    await dialog.getByRole("button", { name: /^Position of the chosen box/ }).focus();
    await page.keyboard.press("Shift+ArrowLeft");
    // Without a chosen class all boxes have none yet.
    for (const key of ["2", "[", "1", "a"]) await page.keyboard.press(key);
    await page.getByText("1 reviewed.").waitFor();
    const reviewed = await (await page.request.get(`${suite.lab.dashboard.url}/api/runs/masked/reviewed.json`)).json();
    const boxes = reviewed.annotations.map(({ bbox }: { bbox: number[] }) => bbox.map(Math.round));
    assert.deepEqual(boxes, [
      [10, 10, 20, 20],
      [30, 20, 15, 23],
    ]);
    await page.close();
  });

  it("draws masks, keeps one with a box that is corrected a little, and drops it where it no longer fits", async () => {
    const page = await open("/runs/masked/labels");
    await page.locator(".tile path").first().waitFor();
    assert.equal(await page.locator(".tile path").count(), 4);
    await page.getByRole("gridcell").first().click();
    const dialog = page.getByRole("dialog");
    const masks = dialog.getByText("mask", { exact: true });
    await masks.first().waitFor();
    for (const key of ["]", "e", "ArrowRight", "ArrowDown"]) await page.keyboard.press(key);
    assert.deepEqual([await masks.count(), await dialog.locator(".picture path").count()], [2, 2]);
    await page.keyboard.press("]");
    await dialog.getByRole("button", { name: /^Position of the chosen box/ }).focus();
    await page.keyboard.press("Shift+ArrowLeft");
    await dialog.getByText("mask dropped").waitFor();
    assert.deepEqual([await masks.count(), await dialog.locator(".picture path").count()], [1, 1]);
    for (const key of ["2", "[", "1", "a"]) await page.keyboard.press(key);
    await page.getByText(/^[12] reviewed\./).waitFor();
    const { annotations } = await (
      await page.request.get(`${suite.lab.dashboard.url}/api/runs/masked/reviewed.json`)
    ).json();
    const [kept, dropped] = annotations;
    assert.deepEqual([kept.bbox, kept.category_id, kept.segmentation.size], [[10, 10, 21, 21], 3, [48, 64]]);
    assert.ok(kept.area > 150 && kept.area < 250);
    assert.deepEqual([dropped.bbox, dropped.segmentation, dropped.area], [[30, 20, 10, 20], undefined, 200]);
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

  it("shows labels once there are some, and offers the next ones beside what is looked at", async () => {
    const predictions = [gate(), gate()];
    let begun = 0;
    hold = ({ task }) => (task?.kind?.$case === "predict" ? predictions[begun++]?.opened : undefined);
    // With another seed nothing is reused.
    await suite.lab.create("live", { seed: 5, arms: ["class_agnostic", "class_specific"] });
    const page = await suite.open("/runs/live/labels");
    await page.getByRole("heading", { name: "The run `live` has no pseudo labels yet." }).waitFor();
    assert.deepEqual(await accessibilityFaults(page), []);
    predictions[0]?.open();
    await page.getByRole("gridcell").first().waitFor();
    const [slider, choice] = [page.getByRole("slider"), page.getByLabel("Labels", { exact: true })];
    await slider.fill("0.3");
    await page.getByRole("gridcell").first().press("Enter");
    await page.keyboard.press("r");
    await page.keyboard.press("Escape");
    await page.getByText("1 reviewed.").waitFor();
    await page.getByLabel("Show").selectOption("not reviewed");
    await page.getByText("2 of 3 images").waitFor();
    // What the run has selected meanwhile is said, and not chosen.
    await page.getByText("the run's: 0.400").waitFor();
    assert.deepEqual(await choice.locator("option").allTextContents(), ["class_agnostic, unlabeled images"]);
    await page.getByRole("gridcell").nth(1).focus();
    predictions[1]?.open();
    const offer = page.getByRole("link", { name: "New: class_specific" });
    await offer.waitFor();
    assert.equal(await page.locator("[role=gridcell]:focus").count(), 1);
    assert.deepEqual([await slider.inputValue(), await page.getByLabel("Show").inputValue()], ["0.3", "not reviewed"]);
    assert.equal(await page.getByRole("gridcell").count(), 2);
    await page.getByText("1 reviewed.").waitFor();
    await offer.click();
    await page.waitForURL(/scope=class_specific/);
    await page.getByRole("gridcell").first().waitFor();
    assert.equal(await choice.locator("option:checked").innerText(), "class_specific, unlabeled images");
    await page.close();
  });
});

/** Something to wait for. */
function gate(): { readonly opened: Promise<void>; readonly open: () => void } {
  let open: () => void = () => {};
  const opened = new Promise<void>((resolve) => (open = resolve));
  return { opened, open: () => open() };
}
