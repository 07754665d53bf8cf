/** The evaluation of a run, in a browser. */
import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import { accessibilityFaults } from "./accessibility.js";
import { HOSTILE_CLASS, storeJudgedRun } from "./judged-run.js";
import { browserSuite } from "./suite.js";

describe("dashboard, evaluation", function () {
  this.timeout(120_000);
  const suite = browserSuite((lab) => storeJudgedRun(lab, "judged"));

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

  it("says so where nothing has been evaluated", async () => {
    await suite.lab.create("waiting");
    const page = await suite.open(`/runs/waiting/evaluation`);
    await page.getByRole("heading", { name: "The run `waiting` has evaluated no detector yet." }).waitFor();
    assert.ok(suite.browser.complaints.splice(0).every((text) => /404/.test(text)));
    await page.close();
  });
});
