/** The evaluation of a run, in a browser. */
import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import { workOn } from "../ts/controller/cells-project.js";
import { accessibilityFaults } from "./accessibility.js";
import { HOSTILE_CLASS, storeJudgedRun } from "./judged-run.js";
import { browserSuite } from "./suite.js";

describe("dashboard, evaluation", function () {
  this.timeout(240_000);
  const suite = browserSuite(async (lab) => {
    await storeJudgedRun(lab, "judged");
    await storeJudgedRun(lab, "masked", true);
  });

  const open = async (): Promise<Page> => {
    const page = await suite.open(`/runs/judged`);
    await page.getByRole("link", { name: "Evaluation" }).click();
    await page.getByRole("region", { name: "Confusion matrix" }).first().waitFor();
    return page;
  };

  it("shows AP with and without classes, errors, curves, calibration, classes and the worst images", async () => {
    const page = await open();
    const awareness = page.getByRole("region", { name: "AP with and without classes" });
    assert.match(await awareness.getByRole("row", { name: /^none/ }).innerText(), /none\s+\d+\.\d/);
    const errors = page.getByRole("region", { name: "Errors by kind" });
    assert.match(await errors.getByRole("row", { name: /^classification/ }).innerText(), /\b1\b/);
    assert.match(await errors.getByRole("row", { name: /^background/ }).innerText(), /\b1\b/);
    await page.getByRole("img", { name: "Precision over recall" }).locator("canvas").waitFor();
    await page.getByLabel("Class of the curves").selectOption("red");
    await page.getByRole("img", { name: /^Precision by score/ }).waitFor();
    assert.equal(await page.getByRole("region", { name: "AP of each class" }).getByRole("row").count(), 3);
    const worst = page.getByRole("region", { name: "Worst images" });
    await worst.getByRole("button").first().waitFor();
    assert.equal(await worst.getByRole("button").count(), 2);
    await page.close();
  });

  it("opens the images that a number of the confusion matrix counts, with keys alone", async () => {
    const page = await open();
    const cell = (name: string) => page.getByRole("button", { name, exact: true });
    await cell(`${HOSTILE_CLASS}, found: 3`).focus();
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: `red, taken for ${HOSTILE_CLASS}: 1 image` }).waitFor();
    const images = page.locator(".cell-images");
    const tile = images.getByRole("button", { name: /train-2\.png/ });
    const labels = await tile.locator(".picture g[class] text").allTextContents();
    assert.deepEqual(labels.sort(), [`${HOSTILE_CLASS} 0.90`, `${HOSTILE_CLASS} 0.95`, "red"]);
    await tile.press("Enter");
    await page.getByRole("dialog", { name: "train-2.png" }).waitFor();
    await page.keyboard.press("Escape");
    await cell("red, not detected: 1").click();
    await images.getByText("val-1.png").waitFor();
    assert.equal(await images.locator(".picture .missed").count(), 1);
    await cell("Nothing, taken for red: 1").click();
    await page.getByRole("heading", { name: "Nothing, taken for red: 1 image" }).waitFor();
    assert.equal(await images.locator(".picture .wrong").count(), 1);
    assert.equal(await page.locator("img[src=x]").count(), 0);
    await page.close();
  });

  it("can be used without eyes or mouse as far as a program can tell", async () => {
    const page = await open();
    await page.getByRole("region", { name: "Worst images" }).getByRole("button").first().waitFor();
    assert.deepEqual(await accessibilityFaults(page), []);
    await page.close();
  });

  it("draws masks where the run has some", async () => {
    const page = await suite.open("/runs/masked/evaluation?iou=segm");
    const tile = page.getByRole("region", { name: "Worst images" }).getByRole("button").first();
    await tile.locator(".picture path").first().waitFor({ state: "attached" });
    assert.equal(await tile.locator(".picture path").count(), await tile.locator(".picture rect").count());
    await page.getByLabel("Evaluation").selectOption({ label: "class_agnostic, boxes" });
    await page.waitForURL(/iou=bbox/);
    await tile.locator(".picture path").first().waitFor({ state: "attached" });
    await page.close();
  });

  it("shows a detector once it is evaluated, and offers the next one beside it", async () => {
    const { lab } = suite;
    await lab.create("live", { arms: ["supervised", "class_agnostic"] });
    const page = await suite.open("/runs/live/evaluation");
    await page.getByRole("heading", { name: "The run `live` has evaluated no detector yet." }).waitFor();
    let goOn: () => void = () => {};
    const released = new Promise<void>((resolve) => (goOn = resolve));
    let leases = 0;
    // After a training and an export, those of the first arm, the second one waits.
    void workOn(lab.controller.address, () => ++leases > 2 && released);
    await page.getByRole("region", { name: "Confusion matrix" }).first().waitFor();
    const choice = page.getByLabel("Evaluation", { exact: true });
    assert.deepEqual(await choice.locator("option").allTextContents(), ["supervised"]);
    await page.getByLabel("Class of the curves").selectOption("red");
    goOn();
    const offer = page.getByRole("link", { name: "New: class_agnostic" });
    await offer.waitFor();
    // What was looked at is still there.
    assert.equal(await page.getByLabel("Class of the curves").locator("option:checked").innerText(), "red");
    await offer.click();
    await page.waitForURL(/step=class_agnostic/);
    await page.getByRole("region", { name: "Confusion matrix" }).first().waitFor();
    await page.close();
  });
});
